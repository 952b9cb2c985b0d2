namespace ProxyShell.Engine.Protocols.Striping;

/// <summary>The frames on a stripe (docs/protocols/striping.md).</summary>
internal enum StripeFrameKind : byte
{
    /// <summary>Bytes of a stream.</summary>
    Data = 1,

    /// <summary>A stream begins.</summary>
    Open = 2,

    /// <summary>A direction of a stream ends, after so many bytes.</summary>
    End = 3,

    /// <summary>A stream is broken off, for a reason.</summary>
    Reset = 4,

    /// <summary>How far the other end may send in a stream.</summary>
    Window = 5,

    /// <summary>There would be more to send in a stream than its window allows.</summary>
    Blocked = 6,

    /// <summary>How many numbered frames have come on a stripe.</summary>
    Ack = 7,

    /// <summary>Asks for an answer on the same stripe.</summary>
    Ping = 8,

    /// <summary>The answer.</summary>
    Pong = 9,

    /// <summary>The pipe ends, for a reason.</summary>
    Goodbye = 10,

    /// <summary>The stripe ends, and nothing follows on it: it is not needed any more.</summary>
    Leave = 11,
}

namespace ProxyShell.Engine.Protocols.Multiplexing;

/// <summary>A frame as it was read: what it says, of which channel (null: of none), and where in the bytes its payload is.</summary>
internal readonly record struct Frame(FrameCode Code, ChannelId? Channel, int PayloadStart, int PayloadLength, int Length)
{
    /// <summary>The payload within the bytes that the frame was read from.</summary>
    public ReadOnlySpan<byte> Payload(ReadOnlySpan<byte> bytes) => bytes.Slice(PayloadStart, PayloadLength);
}

namespace ProxyShell.Engine.Sessions;

/// <summary>What a channel has to say besides its content, in the order in which it is said.</summary>
[Flags]
internal enum DueFrames : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>That it is offered.</summary>
    Offer = 1,

    /// <summary>That the offer is accepted.</summary>
    Acceptance = 2,

    /// <summary>How many bytes were taken.</summary>
    Processed = 4,

    /// <summary>How large the receive window is now.</summary>
    Window = 8,

    /// <summary>That a larger window would be of use.</summary>
    GrowthRequest = 16,

    /// <summary>That this direction has ended.</summary>
    End = 32,

    /// <summary>That the channel is closed.</summary>
    Termination = 64,
}

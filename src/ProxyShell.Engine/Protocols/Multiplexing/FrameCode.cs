namespace ProxyShell.Engine.Protocols.Multiplexing;

/// <summary>What a frame says. Codes that are not here are ignored, as the protocol demands.</summary>
internal enum FrameCode : byte
{
    /// <summary>A channel is offered: name, and the offerer's receive window.</summary>
    Offer = 0,

    /// <summary>The offer is taken: the acceptor's receive window.</summary>
    OfferAccepted = 1,

    /// <summary>Bytes of a channel.</summary>
    Content = 2,

    /// <summary>The sender's direction has ended.</summary>
    ContentWritingCompleted = 3,

    /// <summary>A close, a rejection or a cancelled offer; the sender says nothing more on the channel.</summary>
    ChannelTerminated = 4,

    /// <summary>So many bytes left the receive window.</summary>
    ContentProcessed = 5,

    /// <summary>The sender reads no more.</summary>
    ContentReadingCompleted = 6,

    /// <summary>The sender's receive window has this size now, if larger.</summary>
    ChannelWindowAdjust = 7,

    /// <summary>The sender could send more if the window were larger.</summary>
    ChannelWindowGrowthRequest = 8,

    /// <summary>Any code this side does not know.</summary>
    Unknown = 255,
}

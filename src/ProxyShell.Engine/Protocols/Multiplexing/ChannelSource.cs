namespace ProxyShell.Engine.Protocols.Multiplexing;

/// <summary>Who offered a channel, as this side sees it; the other side's view is the negation.</summary>
public enum ChannelSource : sbyte
{
    /// <summary>The other side.</summary>
    Remote = -1,

    /// <summary>Nobody: both sides know it from the start.</summary>
    Seeded = 0,

    /// <summary>This side.</summary>
    Local = 1,
}

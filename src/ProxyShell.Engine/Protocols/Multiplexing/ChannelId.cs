namespace ProxyShell.Engine.Protocols.Multiplexing;

/// <summary>A channel's number and who offered it, as this side sees it: the two together are unique within a session.</summary>
/// <param name="Number">The number, at least 0 (seeded) or 1.</param>
/// <param name="Source">Who offered it.</param>
public readonly record struct ChannelId(long Number, ChannelSource Source)
{
    /// <summary>The same channel as the other side sees it.</summary>
    public ChannelId Flipped => new(Number, (ChannelSource)(-(sbyte)Source));

    /// <summary>For example <c>7 (offered by the peer)</c>.</summary>
    public override string ToString() => Source switch
    {
        ChannelSource.Local => $"{Number}",
        ChannelSource.Remote => $"{Number} (offered by the peer)",
        _ => $"{Number} (seeded)",
    };
}

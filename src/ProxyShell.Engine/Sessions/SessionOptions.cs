using ProxyShell.Engine.Protocols.Multiplexing;

namespace ProxyShell.Engine.Sessions;

/// <summary>How a <see cref="MultiplexedSession"/> behaves. Sizes are in bytes; values out of their range make the session's start fail.</summary>
public sealed record SessionOptions
{
    /// <summary>The protocol's version, which the peer must use too. 3 by default.</summary>
    public MultiplexingVersion Version { get; init; } = MultiplexingVersion.V3;

    /// <summary>
    /// How many channels both sides know from the start, numbered from 0; version 3 only. Both sides must have the same number of them and the
    /// same <see cref="Window"/>. None by default.
    /// </summary>
    public int SeededChannels { get; init; }

    /// <summary>
    /// The receive window a channel begins with, 1 byte to 1 GiB: what its peer may send before this side's reader has taken it. 128 KiB by
    /// default. New channels get 20 KiB at most once <see cref="MaxWindows"/> is used up. In version 1, which has no windows, the session
    /// stops reading while a channel holds so much.
    /// </summary>
    public long Window { get; init; } = 128 * 1024;

    /// <summary>How far a channel's window may grow when link and reader can take it, and the peer asks. 16 MiB by default.</summary>
    public long MaxWindow { get; init; } = 16 * 1024 * 1024;

    /// <summary>What the windows of all channels may come to before none grows any more. 64 MiB by default.</summary>
    public long MaxWindows { get; init; } = 64 * 1024 * 1024;

    /// <summary>How many channels may be open at once, whoever offered them. 4,096 by default.</summary>
    public int MaxChannels { get; init; } = 4096;

    /// <summary>How many of the peer's offers may wait to be accepted; further ones are rejected. 1,024 by default.</summary>
    public int MaxPendingOffers { get; init; } = 1024;

    /// <summary>How long the peer may be silent before it counts as dead; see docs/protocols/multiplexing.md. 30 seconds by default; infinite turns it off.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the handshake of versions 1 and 2 may take. 10 seconds by default.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    internal void Validate()
    {
        if (!Enum.IsDefined(Version)) throw Wrong(nameof(Version));
        if (SeededChannels < 0 || SeededChannels > MaxChannels) throw Wrong(nameof(SeededChannels));
        if (SeededChannels > 0 && Version != MultiplexingVersion.V3) throw new ArgumentException("Seeded channels need version 3.", nameof(SeededChannels));
        if (Window is < 1 or > 1 << 30) throw Wrong(nameof(Window));
        if (MaxWindow < Window) throw Wrong(nameof(MaxWindow));
        if (MaxWindows < 0) throw Wrong(nameof(MaxWindows));
        if (MaxChannels < 1) throw Wrong(nameof(MaxChannels));
        if (MaxPendingOffers < 0) throw Wrong(nameof(MaxPendingOffers));
        if (SeededChannels * Window > MaxWindows) throw new ArgumentException("The seeded channels' windows, which both sides must have whole, exceed MaxWindows.", nameof(SeededChannels));
        if (KeepAlive != Timeout.InfiniteTimeSpan && KeepAlive <= TimeSpan.Zero) throw Wrong(nameof(KeepAlive));
        if (HandshakeTimeout <= TimeSpan.Zero) throw Wrong(nameof(HandshakeTimeout));
    }

    private static ArgumentOutOfRangeException Wrong(string name) => new(name);
}

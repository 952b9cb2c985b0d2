using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Striping.Transfer;

namespace ProxyShell.Engine.Striping;

/// <summary>What either end of a striped pipe can be told; both ends have to agree on key, framing and whether datagrams are carried.</summary>
public abstract record StripedPipeOptions : ServiceOptions
{
    /// <summary>The default of <see cref="Window"/>.</summary>
    public const int DefaultWindow = 16 * 1024 * 1024;

    private const int MinWindow = 64 * 1024;
    private const int MaxWindow = 1024 * 1024 * 1024;

    /// <summary>A key that both ends share: nobody without it can join a stripe to the pipe. Null for none.</summary>
    public ProxyKey? Key { get; init; }

    /// <summary>What the two ends speak with each other.</summary>
    public StripedPipeFraming Framing { get; init; }

    /// <summary>Carry datagrams (UDP) instead of connections.</summary>
    public bool Udp { get; init; }

    /// <summary>How many bytes one stream may be ahead of its reader, and so how much of it is kept in memory at each end: 64 KiB to 1 GiB.</summary>
    public int Window { get; init; } = DefaultWindow;

    /// <summary>How long a pipe without a single stripe is kept, waiting for one, before its streams fail.</summary>
    public TimeSpan ReconnectTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>For how long a stripe with unacknowledged data may be silent before it is given up and dialled again.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The word for what is carried in records and events.</summary>
    internal string Carried => Udp ? "udp" : "tcp";

    internal StripeSetOptions StripeSet => new() { Time = TimeProvider, Window = Window, ReconnectTimeout = ReconnectTimeout, StallTimeout = StallTimeout };

    internal override IEnumerable<OptionValue> Values =>
    [
        .. base.Values,
        OptionValue.Fixed(nameof(Key), Key),
        OptionValue.Fixed(nameof(Framing), Framing),
        OptionValue.Fixed(nameof(Udp), Udp),
        OptionValue.Fixed(nameof(Window), Window),
        OptionValue.Of(nameof(ReconnectTimeout), ReconnectTimeout),
        OptionValue.Of(nameof(StallTimeout), StallTimeout),
    ];

    internal override void Validate()
    {
        base.Validate();
        Require(Enum.IsDefined(Framing), nameof(Framing), Framing, "Stripe or Datagram");
        Require(Window is >= MinWindow and <= MaxWindow, nameof(Window), Window, $"{MinWindow} (64 KiB) to {MaxWindow} (1 GiB)");
        Require(ReconnectTimeout > TimeSpan.Zero && ReconnectTimeout <= MaxTime, nameof(ReconnectTimeout), ReconnectTimeout, "more than 0 and at most 24 days");
        Require(StallTimeout > TimeSpan.Zero && StallTimeout <= MaxTime, nameof(StallTimeout), StallTimeout, "more than 0 and at most 24 days");
        if (Framing == StripedPipeFraming.Datagram && Key is not null)
            throw new FormatException("Key is given, but Framing Datagram has no handshake in which to show it: use TLS with client certificates, a chain with a payload key, or Framing Stripe (which carries datagrams too, with Udp).");
    }
}

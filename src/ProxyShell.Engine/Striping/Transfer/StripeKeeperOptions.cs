using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>What a near end's keeper of stripes goes by.</summary>
internal sealed record StripeKeeperOptions
{
    /// <summary>How many stripes there are at least.</summary>
    public required int Count { get; init; }

    /// <summary>How many there are at most; stripes are added while that raises the rate.</summary>
    public required int MaxCount { get; init; }

    /// <summary>Connects the stripe of a place, 0 and up, by the way for that place.</summary>
    public required Func<int, CancellationToken, ValueTask<DuplexConnection>> Dial { get; init; }

    /// <summary>The way of a place, for people.</summary>
    public required Func<int, string> PathOf { get; init; }

    /// <summary>Told of stripes that join and are lost.</summary>
    public required Action<string, ProxyErrorReason> Report { get; init; }

    public ProxyKey? Key { get; init; }

    /// <summary>How long connecting a stripe may take, handshake included.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(15);

    public StripeSetOptions Set { get; init; } = new();
}

using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Protocols;

/// <summary>The content of a relay response header.</summary>
internal sealed record RelayResponse
{
    /// <summary>The request's nonce; zero when the hop refused before it read one.</summary>
    public required UInt128 Nonce { get; init; }

    /// <summary>
    /// Part of the keys that the answer and the payload are sealed with: fresh for each response (<see cref="RelayResponseCodec.NewSalt"/>)
    /// unless neither is sealed.
    /// </summary>
    public required UInt128 Salt { get; init; }

    public required ProxyErrorReason Reason { get; init; }

    public ProxyStage Stage { get; init; }

    /// <summary>How long the hop took to connect to the next address.</summary>
    public TimeSpan ConnectTime { get; init; }

    /// <summary>What reaches the next address.</summary>
    public RelayLink Link { get; init; }

    /// <summary>At most 255 bytes of UTF-8; empty when the reason says it all.</summary>
    public string Message { get; init; } = "";
}

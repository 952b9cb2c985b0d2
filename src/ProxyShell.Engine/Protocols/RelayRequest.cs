using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Protocols;

/// <summary>The content of a relay request header.</summary>
internal sealed record RelayRequest
{
    public required RelayCommand Command { get; init; }

    /// <summary>Chosen at random by the client; the response echoes it.</summary>
    public required UInt128 Nonce { get; init; }

    /// <summary>The client's clock, in whole milliseconds.</summary>
    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>Where to connect; null for a probe and a session.</summary>
    public TransportAddress? Next { get; init; }

    /// <summary>How the hop shall trust the next address when that is TLS.</summary>
    public TlsTrust Trust { get; init; } = TlsTrust.System;

    /// <summary>The name to ask for and check in TLS when it is not the host of <see cref="Next"/>.</summary>
    public string? ServerName { get; init; }

    /// <summary>The id of the key that seals the payload between the client and this hop, which is then the last; empty for none.</summary>
    public string PayloadKeyId { get; init; } = "";
}

using System.Security.Cryptography.X509Certificates;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Security;

namespace ProxyShell.Arguments;

/// <summary>What is added to a hop; null adds nothing.</summary>
internal sealed record HopSettings(KeyArgument? Key, CredentialArgument? Credential, string? Thumbprint, string? ServerName)
{
    /// <summary>
    /// Keys are for relay hops and credentials for the others, so one call may give both to a mixed chain. When not set, a hop that
    /// cannot have what it is given is an error.
    /// </summary>
    public bool IsForMixedHops { get; init; }

    /// <summary>The certificate to show to hops with TLS.</summary>
    public X509Certificate2? ClientCertificate { get; init; }

    /// <summary>Whether relay hops are to be reached by channels of sessions.</summary>
    public bool IsMultiplexed { get; init; }

    /// <summary>How sessions to multiplexed hops are kept.</summary>
    public SessionSettings Sessions { get; init; } = new();

    /// <summary>Whether nothing is added.</summary>
    public bool IsEmpty => Key is null && Credential is null && ClientCertificate is null && (Thumbprint ?? ServerName) is null && !IsMultiplexed && Sessions.IsEmpty;

    /// <summary>The hop with the settings.</summary>
    /// <exception cref="FormatException">A setting is not valid, or the hop cannot have it.</exception>
    public ProxyHop ApplyTo(ProxyHop hop)
    {
        bool isRelay = hop.Protocol == HopProtocol.Relay;
        bool isTls = hop.Address.Kind == TransportKind.Tls;
        if ((Thumbprint ?? ServerName) is not null && !isTls)
            throw new FormatException($"{hop.Uri} does not use TLS, so it has no certificate to check by thumbprint or server name{Hint(hop)}");
        if (!IsForMixedHops && ClientCertificate is not null && !isTls) throw new FormatException($"{hop.Uri} does not use TLS, so no certificate can be shown to it{Hint(hop)}");
        if (!IsForMixedHops && Key is not null && !isRelay) throw new FormatException($"{hop.Uri} is no relay hop, so it has no key; give it a -Credential.");
        if (!IsForMixedHops && Credential is not null && isRelay) throw new FormatException($"{hop.Uri} is a relay hop, which takes a -Key and no credential.");
        if (Key is not null && isRelay) hop = hop with { Key = Key.Resolve() };
        if (Credential is not null && !isRelay) hop = hop with { Credential = Credential.Resolve() };
        if (ClientCertificate is not null && isTls) hop = hop with { ClientCertificate = ClientCertificate };
        if (Thumbprint is not null) hop = hop with { Trust = TlsTrust.Pinned(Thumbprint) };
        if (ServerName is not null) hop = hop with { ServerName = ServerName };
        return WithSessions(hop);
    }

    private ProxyHop WithSessions(ProxyHop hop)
    {
        if (IsMultiplexed && (hop.Protocol == HopProtocol.Relay || !IsForMixedHops)) hop = hop.Multiplexed();
        if (Sessions.IsEmpty) return hop;
        if (hop.Address.IsMultiplexed) return hop with { Sessions = Sessions.ApplyTo(hop.Sessions) };
        return IsForMixedHops ? hop : throw new FormatException(
            $"{hop.Uri} is not multiplexed, so nothing can be said of sessions to it{(hop.Protocol == HopProtocol.Relay ? $"; did you mean {hop.Multiplexed().Scheme}: ?" : ".")}");
    }

    private static string Hint(ProxyHop hop) => hop.Protocol switch
    {
        HopProtocol.Relay when hop.Address.Kind == TransportKind.Tcp => $"; did you mean {(hop.WebSocketPath is null ? "relays" : "relay+wss")}:// ?",
        HopProtocol.Http => "; did you mean https:// ?",
        HopProtocol.Socks5 => "; did you mean socks5+tls:// ?",
        _ => ".",
    };
}

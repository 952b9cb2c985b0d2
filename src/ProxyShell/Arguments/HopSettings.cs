using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Security;

namespace ProxyShell.Arguments;

/// <summary>What is added to a hop; null adds nothing.</summary>
internal sealed record HopSettings(KeyArgument? Key, string? Thumbprint, string? ServerName)
{
    /// <summary>The hop with the settings.</summary>
    /// <exception cref="FormatException">A setting is not valid, or the hop cannot have it.</exception>
    public ProxyHop ApplyTo(ProxyHop hop)
    {
        if ((Thumbprint ?? ServerName) is not null && hop.Address.Kind != TransportKind.Tls)
            throw new FormatException($"{hop.Uri} does not use TLS, so it has no certificate to check by thumbprint or server name; did you mean relays:// ?");
        if (Key is not null) hop = hop with { Key = Key.Resolve() };
        if (Thumbprint is not null) hop = hop with { Trust = TlsTrust.Pinned(Thumbprint) };
        if (ServerName is not null) hop = hop with { ServerName = ServerName };
        return hop;
    }
}

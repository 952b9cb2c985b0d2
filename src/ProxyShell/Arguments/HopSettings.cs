using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Security;

namespace ProxyShell.Arguments;

/// <summary>What a cmdlet adds to the hops it is given; empty values, as of an empty column, add nothing.</summary>
internal sealed record HopSettings(KeyArgument? Key, string? Thumbprint, string? ServerName)
{
    /// <summary>The hop with the settings.</summary>
    /// <exception cref="FormatException">A setting is not valid, or the hop cannot have it.</exception>
    public ProxyHop ApplyTo(ProxyHop hop)
    {
        bool pins = !string.IsNullOrWhiteSpace(Thumbprint), names = !string.IsNullOrWhiteSpace(ServerName);
        if ((pins || names) && hop.Address.Kind != TransportKind.Tls)
            throw new FormatException($"{hop.Uri} does not use TLS, so it has no certificate to check by thumbprint or server name; did you mean relays:// ?");
        if (Key is { IsEmpty: false }) hop = hop with { Key = Key.Resolve() };
        if (pins) hop = hop with { Trust = TlsTrust.Pinned(Thumbprint!) };
        if (names) hop = hop with { ServerName = ServerName };
        return hop;
    }
}

using System.Security.Cryptography.X509Certificates;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Chains;

/// <summary>Where a flight of hops shall lead, and how that is trusted when it is TLS; no address for a probe.</summary>
internal readonly record struct FlightTarget(TransportAddress? Address, TlsTrust Trust, string? ServerName)
{
    /// <summary>The certificate to show to a TLS server that asks for one.</summary>
    public X509Certificate2? ClientCertificate { get; init; }

    public static FlightTarget Probe { get; } = new(null, TlsTrust.System, null);
}

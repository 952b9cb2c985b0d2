using System.Security.Cryptography.X509Certificates;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Chains;

/// <summary>Where a flight of hops shall lead, and how that is trusted when it is TLS; no address for a probe or a session.</summary>
internal readonly record struct FlightTarget(TransportAddress? Address, TlsTrust Trust, string? ServerName)
{
    /// <summary>The certificate to show to a TLS server that asks for one.</summary>
    public X509Certificate2? ClientCertificate { get; init; }

    /// <summary>The hop is asked for a session, and not to connect to anything.</summary>
    public bool IsSession { get; init; }

    public static FlightTarget Session { get; } = new(null, TlsTrust.System, null) { IsSession = true };

    public static FlightTarget Probe { get; } = new(null, TlsTrust.System, null);
}

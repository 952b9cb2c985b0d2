using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Jobs;

/// <summary>A running tunnel gateway.</summary>
public sealed class TunnelGatewayJob : ListenerJob
{
    internal TunnelGatewayJob(TunnelGateway gateway)
        : base(gateway, "Start-TunnelGateway", "TunnelGateway") => Gateway = gateway;

    /// <summary>The port at which agents register; 0 for Unix sockets.</summary>
    public int ControlPort => LocalPort;

    /// <summary>The port at which the public reaches host names over HTTP; 0 when there is none.</summary>
    public int HttpPort => Gateway.HttpPort;

    /// <summary>The port at which the public reaches host names over TLS; 0 when there is none.</summary>
    public int HttpsPort => Gateway.HttpsPort;

    /// <summary>The domain of the host names.</summary>
    public string Domain => Gateway.Options.Domain;

    /// <summary>How many tunnels are registered now; Get-Tunnel shows them.</summary>
    public int ActiveTunnels => Gateway.GetTunnels().Count;

    internal TunnelGateway Gateway { get; }

    private protected override string RunningMessage => $"{base.RunningMessage}, {Counted(ActiveTunnels, "tunnel")} registered";
}

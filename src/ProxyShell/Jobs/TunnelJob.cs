using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Jobs;

/// <summary>A tunnel that this machine has registered at a gateway. It is Running also while the connection to the gateway is made anew.</summary>
public sealed class TunnelJob : ProxyJob
{
    private readonly TunnelAgent _agent;
    private readonly TunnelIdentity _identity;

    /// <param name="agent">The agent; it has registered, or goes on trying.</param>
    /// <param name="identity">The agent's key, which is the job's to dispose of.</param>
    internal TunnelJob(TunnelAgent agent, TunnelIdentity identity)
        : base(agent, $"Register-Tunnel {agent.Options.Gateway} {agent.Options.Destination}", "Tunnel") => (_agent, _identity) = (agent, identity);

    /// <summary>The public address, for example <c>https://blog.example.org</c>; empty before the first registration.</summary>
    public string Url => _agent.Url;

    /// <summary>The public host name; empty for tunnels with a port.</summary>
    public string HostName => _agent.HostName;

    /// <summary>Host and port where the public connects; null before the first registration.</summary>
    public HostEndpoint? RemoteEndpoint => _agent.RemoteEndpoint;

    /// <summary>The gateway.</summary>
    public GatewayAddress Gateway => _agent.Options.Gateway;

    /// <summary>The service that is published.</summary>
    public TunnelDestination Destination => _agent.Options.Destination;

    /// <summary>The hops on the way to the gateway.</summary>
    public ProxyChain Chain => _agent.Options.Chain;

    /// <summary>The thumbprint of the key with which it registers, as a gateway's list of authorized keys has it.</summary>
    public string Thumbprint => _identity.Thumbprint;

    /// <summary>Where it is between connected and reconnecting; <see cref="ProxyJob.StatusMessage"/> tells it in words.</summary>
    public TunnelAgentState Connection => _agent.State;

    /// <summary>How often it has registered.</summary>
    public int Registrations => _agent.Registrations;

    /// <summary>The round trip to the gateway; null while it is not known.</summary>
    public TimeSpan? RoundTrip => _agent.RoundTrip;

    /// <summary>Why it was not connected the last time; null when it always was.</summary>
    public ProxyException? LastError => _agent.LastError;

    /// <summary>The public address, or before the first registration the gateway's.</summary>
    public override string Location => Url.Length > 0 ? Url : Gateway.ToString();

    private protected override string RunningMessage => _agent.StatusMessage;

    private protected override string StoppingMessage => "takes no more visitors";

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing) _identity.Dispose();
    }
}

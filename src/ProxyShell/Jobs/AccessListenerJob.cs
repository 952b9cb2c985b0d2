using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;

namespace ProxyShell.Jobs;

/// <summary>A running access listener.</summary>
public sealed class AccessListenerJob : ProxyJob
{
    private readonly AccessListener _listener;

    internal AccessListenerJob(AccessListener listener)
        : base(listener, $"Start-AccessListener -Destination {listener.Destination}", "AccessListener") => _listener = listener;

    /// <summary>Where every connection goes.</summary>
    public HostEndpoint Destination => _listener.Destination;

    /// <summary>The hops on the way.</summary>
    public ProxyChain Chain => _listener.Chain;
}

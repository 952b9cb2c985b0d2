using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Routing;

namespace ProxyShell.Jobs;

/// <summary>A running access listener.</summary>
public sealed class AccessListenerJob : ListenerJob
{
    private readonly AccessListener _listener;

    internal AccessListenerJob(AccessListener listener)
        : base(listener, listener.Destination is { } destination ? $"Start-AccessListener -Destination {destination}" : "Start-AccessListener", "AccessListener") => _listener = listener;

    /// <summary>Where every connection goes; null when each client says so itself.</summary>
    public HostEndpoint? Destination => _listener.Destination;

    /// <summary>The hops on the way.</summary>
    public ProxyChain Chain => _listener.Chain;

    /// <summary>The rules for destinations; the first that matches decides.</summary>
    public IReadOnlyList<ProxyRule> Rules => _listener.Options.Rules;
}

using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Access;

/// <summary>What an access listener can be told.</summary>
public sealed record AccessListenerOptions : ServiceOptions
{
    /// <summary>Where every connection goes.</summary>
    public required HostEndpoint Destination { get; init; }

    /// <summary>The hops on the way; direct by default.</summary>
    public ProxyChain Chain { get; init; } = ProxyChain.Direct;

    internal override void Validate()
    {
        base.Validate();
        Require(Destination.Port != 0, nameof(Destination), Destination, "an endpoint with a port other than 0");
    }
}

using ProxyShell.Engine.Inbound.Http;
using ProxyShell.Engine.Sessions;

namespace ProxyShell.Engine.Tunnels.Http;

/// <summary>A connection through an agent to its service, while a request uses it.</summary>
internal sealed class TunnelLink(TunnelRegistration registration, HttpUpstream upstream)
{
    public TunnelRegistration Registration => registration;

    public HttpUpstream Upstream => upstream;

    /// <summary>Whether the client of the request likes JSON.</summary>
    public bool WantsJson { get; init; }

    /// <summary>Whether the agent is gone, rather than its service.</summary>
    public bool IsAgentGone => registration.IsLeaving || upstream.Connection is SessionChannel { Session.IsOver: true };
}

using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Tunnels;

/// <summary>The gateway has said no. Within the agent only: outside, it is the error.</summary>
internal sealed class GatewayRefusalException(ProxyException error, bool isFatal) : Exception(error.Message, error)
{
    public ProxyException Error => error;

    /// <summary>Whether trying again would change nothing.</summary>
    public bool IsFatal => isFatal;
}

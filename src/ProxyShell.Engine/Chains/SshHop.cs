using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>An SSH server as a hop, through the ssh program: <c>ssh -W host:port</c>.</summary>
internal static class SshHop
{
    /// <summary>Starts ssh and returns its standard input and output as a connection; <paramref name="via"/> leads to the server, or is null.</summary>
    public static ValueTask<DuplexConnection> ConnectAsync(DuplexConnection? via, ProxyHop hop, HostEndpoint next, CancellationToken cancellationToken) =>
        throw new ProxyException(ProxyErrorReason.Unsupported, ProxyStage.Request, null, "not yet");
}

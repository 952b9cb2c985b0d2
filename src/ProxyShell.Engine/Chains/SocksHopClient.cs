using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>Speaks SOCKS version 5 (RFC 1928, RFC 1929) with a hop.</summary>
internal sealed class SocksHopClient : IHopClient
{
    public static SocksHopClient Instance { get; } = new();

    public ValueTask<DuplexConnection> ConnectAsync(DuplexConnection connection, ProxyHop hop, HostEndpoint next, CancellationToken cancellationToken) =>
        throw new ProxyException(ProxyErrorReason.Unsupported, ProxyStage.Request, null, "not yet");
}

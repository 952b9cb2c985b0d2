using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>Speaks HTTP CONNECT (RFC 9110 §9.3.6) with a hop.</summary>
internal sealed class HttpHopClient : IHopClient
{
    public static HttpHopClient Instance { get; } = new();

    public ValueTask<DuplexConnection> ConnectAsync(DuplexConnection connection, ProxyHop hop, HostEndpoint next, CancellationToken cancellationToken) =>
        throw new ProxyException(ProxyErrorReason.Unsupported, ProxyStage.Request, null, "not yet");
}

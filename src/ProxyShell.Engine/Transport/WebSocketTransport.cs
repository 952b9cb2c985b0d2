using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Transport;

/// <summary>WebSocket (RFC 6455) over any connection: binary messages are the stream, a close frame ends its direction.</summary>
internal static class WebSocketTransport
{
    /// <summary>Asks for an upgrade; on failure the inner connection is closed.</summary>
    public static ValueTask<DuplexConnection> ConnectAsync(DuplexConnection inner, HostEndpoint host, string path, CancellationToken cancellationToken) =>
        throw new ProxyException(ProxyErrorReason.Unsupported, ProxyStage.Request, null, "not yet");
}

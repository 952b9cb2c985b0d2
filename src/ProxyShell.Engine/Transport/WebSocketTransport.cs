using System.Net.WebSockets;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Http;

namespace ProxyShell.Engine.Transport;

/// <summary>WebSocket (RFC 6455) over any connection: binary messages are the stream, a close frame ends its direction.</summary>
internal static class WebSocketTransport
{
    /// <summary>Asks for an upgrade; on failure the inner connection is closed.</summary>
    public static async ValueTask<DuplexConnection> ConnectAsync(DuplexConnection inner, HostEndpoint host, string path, CancellationToken cancellationToken)
    {
        try
        {
            string key = WebSocketHandshake.NewKey();
            await inner.WriteAsync(WebSocketHandshake.Request(host, path, key), cancellationToken).ConfigureAwait(false);
            using var reader = new HeaderReader(inner, HttpHead.MaxLength);
            HttpResponseHead response = await HttpResponseReader.ReadFinalAsync(reader, "GET", cancellationToken).ConfigureAwait(false);
            if (!WebSocketHandshake.IsAgreed(response, key)) throw Refused(response);
        }
        catch
        {
            await inner.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        return new WebSocketConnection(inner, isServer: false);
    }

    /// <summary>The server's side of a connection whose handshake is done.</summary>
    public static DuplexConnection Accept(DuplexConnection inner) => new WebSocketConnection(inner, isServer: true);

    private static ProxyException Refused(HttpResponseHead response) => new(
        response.Status == 403 ? ProxyErrorReason.Forbidden : ProxyErrorReason.ProtocolError,
        ProxyStage.Request,
        null,
        response.Status == 101 ? "its WebSocket handshake is not valid" : $"does not speak WebSocket here: {response.Summary}");
}

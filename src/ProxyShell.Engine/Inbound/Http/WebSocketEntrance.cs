using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Http;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound.Http;

/// <summary>Accepts WebSocket connections (RFC 6455) and has another protocol served inside them.</summary>
internal sealed class WebSocketEntrance(InboundContext context, InboundProtocol inside)
{
    /// <summary>Answers the handshake and serves; the path does not matter.</summary>
    public async Task ServeAsync(ServedConnection served, HeaderReader reader, HttpRequestHead request)
    {
        if (Fault(request) is { } fault) throw await HttpRefusals.RefuseAsync(context, served, fault.Reason, fault.Refusal, request).ConfigureAwait(false);
        await served.Client.WriteAsync(WebSocketHandshake.Response(WebSocketHandshake.KeyOf(request)!), served.Clock.Token).ConfigureAwait(false);
        reader.Dispose();
        served.Client = WebSocketTransport.Accept(served.Client);
        served.Record.ReplaceClient(served.Client);
        using var insideReader = new HeaderReader(served.Client, HttpHead.MaxLength);
        await InboundContext.ReadMoreAsync(served, insideReader, "a request").ConfigureAwait(false);
        await inside.ServeAsync(served, insideReader).ConfigureAwait(false);
    }

    private static (ProxyErrorReason Reason, HttpRefusal Refusal)? Fault(HttpRequestHead request)
    {
        // browsers always say Origin: no web page shall reach into the network through a proxy that trusts its own machine
        if (request.Fields.Find(HttpFieldKind.Origin) >= 0)
            return (ProxyErrorReason.Forbidden, new HttpRefusal(403, "web pages may not open WebSocket connections to this proxy"));
        if (!request.Fields.Only(HttpFieldKind.WebSocketVersion).SequenceEqual("13"u8))
            return (ProxyErrorReason.Unsupported, new HttpRefusal(426, "the version of WebSocket is not 13") { Demand = "Sec-WebSocket-Version: " + WebSocketHandshake.Version });
        return WebSocketHandshake.KeyOf(request) is null
            ? (ProxyErrorReason.ProtocolError, new HttpRefusal(400, "Sec-WebSocket-Key is not 16 bytes in base64"))
            : null;
    }
}

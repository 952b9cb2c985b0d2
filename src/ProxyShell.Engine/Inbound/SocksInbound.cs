using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>Serves SOCKS versions 4, 4a and 5.</summary>
internal sealed class SocksInbound(InboundContext context) : InboundProtocol(context)
{
    public override string Name => "socks5";

    public override bool Begins(byte first) => first is 4 or 5;

    public override Task ServeAsync(ServedConnection served, HeaderReader reader) =>
        throw InboundContext.Refused(served, ProxyErrorReason.Unsupported, "speaks SOCKS, which is not served yet");
}

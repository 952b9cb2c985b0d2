using ProxyShell.Engine.Protocols.Socks;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Inbound;

/// <summary>UDP ASSOCIATE (RFC 1928 §7).</summary>
internal sealed partial class SocksInbound
{
    private Task AssociateAsync(ServedConnection served, SocksRequest request) =>
        RefuseAsync(served, request.Version, SocksReplyCode.CommandNotSupported, "asks for UDP ASSOCIATE, which is not served here");
}

using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>Several protocols on one port, told apart by the first byte.</summary>
internal sealed class InboundSwitch(params IReadOnlyList<InboundProtocol> protocols)
{
    // the longest head that any of them reads (an HTTP head); buffers begin much smaller
    private const int MaxHeadLength = 64 * 1024;

    /// <summary>The protocols for clients that bring no relay header, in the order in which they are asked.</summary>
    public static IEnumerable<InboundProtocol> Foreign(ProxyProtocols served, InboundContext context, InboundProtocol? overWebSocket = null)
    {
        if ((served & ProxyProtocols.Socks5) != 0) yield return new SocksInbound(context);
        bool proxies = (served & ProxyProtocols.Http) != 0;
        if (proxies || overWebSocket is not null) yield return new HttpInbound(context, proxies, overWebSocket);
    }

    public async Task ServeAsync(ServedConnection served)
    {
        using var reader = new HeaderReader(served.Client, MaxHeadLength);
        await InboundContext.ReadMoreAsync(served, reader, "a request").ConfigureAwait(false);
        byte first = reader.Bytes[0];
        if (Find(first) is { } protocol) await protocol.ServeAsync(served, reader).ConfigureAwait(false);
        else throw InboundContext.Refused(served, ProxyErrorReason.ProtocolError, Unknown(first));
    }

    /// <summary>Tells a client that is one too many so, in the protocol that it begins to speak, and closes the connection.</summary>
    public ValueTask TurnAwayAsync(DuplexConnection connection, TimeProvider time) =>
        LingeringClose.RunAsync(connection, time, first => Find(first) is { } protocol ? protocol.TooMany(first) : default);

    private InboundProtocol? Find(byte first)
    {
        // one alone answers whatever comes in its own words
        if (protocols.Count == 1) return protocols[0];
        foreach (InboundProtocol protocol in protocols)
        {
            if (protocol.Begins(first)) return protocol;
        }
        return null;
    }

    private string Unknown(byte first)
    {
        string hint = first switch
        {
            0x16 => " (a TLS handshake; this port does not speak TLS)",
            0xF1 => " (a relay header)",
            0x04 or 0x05 => " (SOCKS)",
            >= (byte)'A' and <= (byte)'Z' => " (perhaps HTTP)",
            _ => "",
        };
        return $"begins with byte 0x{first:X2}{hint}; served here: {string.Join(", ", protocols.Select(p => p.Name))}";
    }
}

using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>Several protocols on one port, told apart by the first byte.</summary>
internal sealed class InboundSwitch(params InboundProtocol[] protocols)
{
    // the longest head that any of them reads (an HTTP head); buffers begin much smaller
    private const int MaxHeadLength = 64 * 1024;

    public async Task ServeAsync(ServedConnection served)
    {
        using var reader = new HeaderReader(served.Client, MaxHeadLength);
        await InboundContext.ReadMoreAsync(served, reader, "a request").ConfigureAwait(false);
        byte first = reader.Bytes[0];
        // one alone answers whatever comes in its own words
        InboundProtocol? protocol = protocols.Length == 1 ? protocols[0] : Array.Find(protocols, p => p.Begins(first));
        if (protocol is not null) await protocol.ServeAsync(served, reader).ConfigureAwait(false);
        else throw InboundContext.Refused(served, ProxyErrorReason.ProtocolError, Unknown(first));
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

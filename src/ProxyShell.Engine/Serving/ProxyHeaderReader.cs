using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Serving;

/// <summary>Reads the PROXY header with which a balancer begins a connection.</summary>
internal static class ProxyHeaderReader
{
    /// <summary>Reads it off the connection; what comes behind it stays there. A client without a proper header is refused.</summary>
    public static async ValueTask<ProxyHeader> ReadAsync(ServedConnection served)
    {
        using var reader = new HeaderReader(served.Client, ProxyHeaderCodec.MaxLength);
        while (true)
        {
            switch (ProxyHeaderCodec.Measure(reader.Bytes, out int length, out string fault))
            {
                case HeaderStatus.Complete:
                    ProxyHeader header = ProxyHeaderCodec.Read(reader.Bytes[..length], out fault) ?? throw Refused(served, ProxyErrorReason.ProtocolError, fault);
                    reader.Consume(length);
                    return header;
                case HeaderStatus.Invalid:
                    throw Refused(served, ProxyErrorReason.ProtocolError, fault);
            }
            await ReadMoreAsync(served, reader).ConfigureAwait(false);
        }
    }

    private static async ValueTask ReadMoreAsync(ServedConnection served, HeaderReader reader)
    {
        try
        {
            if (await reader.ReadMoreAsync(served.Clock.Token).ConfigureAwait(false)) return;
        }
        catch (ProxyException e)
        {
            throw Refused(served, e.Reason, $"{e.Detail} instead of a PROXY header", e);
        }
        throw Refused(served, ProxyErrorReason.ConnectionClosed, "closed the connection without a PROXY header");
    }

    private static ProxyException Refused(ServedConnection served, ProxyErrorReason reason, string detail, Exception? inner = null)
    {
        served.WasRefused = true;
        return new ProxyException(reason, ProxyStage.Request, "client", detail, inner) { Side = ProxySide.Client };
    }
}

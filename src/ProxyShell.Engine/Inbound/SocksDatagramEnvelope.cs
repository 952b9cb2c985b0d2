using System.Net;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Protocols.Socks;

namespace ProxyShell.Engine.Inbound;

/// <summary>The header around the datagrams of a UDP ASSOCIATE (RFC 1928 §7).</summary>
internal sealed class SocksDatagramEnvelope : IDatagramEnvelope
{
    public static SocksDatagramEnvelope Instance { get; } = new();

    public int Measure(ReadOnlySpan<byte> datagram) => SocksDatagramCodec.TryMeasure(datagram, out int length, out _) ? length : 0;

    public HostEndpoint? Read(ReadOnlySpan<byte> header) => SocksDatagramCodec.ReadAddress(header, out _);

    // where only a hop knows the source, it is told as the client named it
    public byte[] Answer(ReadOnlySpan<byte> header, IPEndPoint? source)
    {
        if (source is null) return header.ToArray();
        Span<byte> buffer = stackalloc byte[SocksDatagramCodec.MaxHeaderLength];
        return buffer[..SocksDatagramCodec.Write(buffer, source)].ToArray();
    }
}

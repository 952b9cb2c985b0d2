using System.Net;
using System.Text;
using ProxyShell.Engine.Addressing;

namespace ProxyShell.Engine.Protocols;

/// <summary>
/// The address of a relay request: transport (1 byte), kind (1), then IPv4 (4 bytes) or IPv6 (16) or a name (length 1, UTF-8)
/// with a port (2), or a path (length 1, UTF-8). docs/protocols/relay.md, "Address".
/// </summary>
internal static class RelayAddressCodec
{
    // transports 1 to 3 as a channel of a session are 5 to 7
    private const byte MultiplexedBit = 4;

    private const byte NoAddress = 0;
    private const byte Ipv4 = 1;
    private const byte Name = 3;
    private const byte Ipv6 = 4;
    private const byte UnixPath = 5;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static void Write(ref SpanWriter writer, TransportAddress? address)
    {
        writer.Byte((byte)((byte)(address?.Kind ?? 0) | (address is { IsMultiplexed: true } ? MultiplexedBit : 0)));
        if (address is null)
        {
            writer.Byte(NoAddress);
        }
        else if (address.Path is not null)
        {
            writer.Byte(UnixPath);
            WriteText(ref writer, address.Path);
        }
        else
        {
            WriteHost(ref writer, address.Endpoint!);
            writer.UInt16(address.Endpoint!.Port);
        }
    }

    /// <summary>Reads an address; null with an empty fault means that there is none.</summary>
    public static TransportAddress? Read(ref SpanReader reader, out string fault)
    {
        fault = "";
        byte code = reader.Byte();
        byte kind = reader.Byte();
        bool isMultiplexed = code is > MultiplexedBit and < 2 * MultiplexedBit;
        int transport = isMultiplexed ? code & ~MultiplexedBit : code;
        try
        {
            switch (kind)
            {
                case NoAddress:
                    if (transport != 0) fault = "a transport without an address";
                    return null;
                case UnixPath when transport == (byte)TransportKind.Unix:
                    string path = ReadText(ref reader);
                    if (reader.Failed) break;
                    return Carried(TransportAddress.Unix(path), isMultiplexed);
                case Ipv4 or Ipv6 or Name when transport is (byte)TransportKind.Tcp or (byte)TransportKind.Tls or (byte)TransportKind.Udp:
                    string host = kind == Name ? ReadText(ref reader) : ReadAddress(ref reader, kind);
                    int port = reader.UInt16();
                    if (reader.Failed || port == 0) break;
                    var endpoint = new HostEndpoint(host, port);
                    return (TransportKind)transport switch
                    {
                        TransportKind.Tcp => Carried(TransportAddress.Tcp(endpoint), isMultiplexed),
                        TransportKind.Tls => Carried(TransportAddress.Tls(endpoint), isMultiplexed),
                        _ => TransportAddress.Udp(endpoint),
                    };
            }
            fault = $"transport {code} with address kind {kind} is not a known or whole address";
        }
        catch (Exception e) when (e is FormatException or DecoderFallbackException)
        {
            fault = "the address is not valid: " + e.Message;
        }
        return null;
    }

    private static TransportAddress Carried(TransportAddress address, bool isMultiplexed) => isMultiplexed ? address.Multiplexed() : address;

    private static void WriteHost(ref SpanWriter writer, HostEndpoint endpoint)
    {
        // a scope id (fe80::1%eth0) means something on this machine only, so such an address travels as text
        if (endpoint.Address is { } address && !endpoint.Host.Contains('%', StringComparison.Ordinal))
        {
            byte[] bytes = address.GetAddressBytes();
            writer.Byte(bytes.Length == 4 ? Ipv4 : Ipv6);
            writer.Bytes(bytes);
            return;
        }
        writer.Byte(Name);
        WriteText(ref writer, endpoint.Host);
    }

    private static string ReadAddress(ref SpanReader reader, byte kind)
    {
        ReadOnlySpan<byte> bytes = reader.Bytes(kind == Ipv4 ? 4 : 16);
        return bytes.IsEmpty ? "0.0.0.0" : new IPAddress(bytes).ToString();
    }

    private static void WriteText(ref SpanWriter writer, string text)
    {
        byte[] bytes = StrictUtf8.GetBytes(text);
        if (bytes.Length > 255) throw new FormatException($"'{text}' is longer than 255 bytes.");
        writer.Byte((byte)bytes.Length);
        writer.Bytes(bytes);
    }

    private static string ReadText(ref SpanReader reader) => StrictUtf8.GetString(reader.Bytes(reader.Byte()));
}

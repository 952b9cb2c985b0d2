using System.Buffers.Binary;
using System.Text;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Protocols;

/// <summary>
/// The relay request header: front (6 bytes), key id (8), nonce (16), body; the body is timestamp (8, ms since 1970),
/// command (1), address, options, and is sealed when the hop has a key. docs/protocols/relay.md, "Request".
/// </summary>
internal static class RelayRequestCodec
{
    public const int MinLength = ClearLength + 8 + 1 + 2;

    private const int ClearLength = RelayFrame.FrontLength + ProxyKey.IdLength + RelayFrame.NonceLength;
    private const byte ThumbprintOption = 1;
    private const byte ServerNameOption = 2;
    private const byte PayloadKeyOption = 3;
    private const byte CriticalBit = 0x80;

    public static HeaderStatus Measure(ReadOnlySpan<byte> bytes, out int total, out string fault) =>
        RelayFrame.Measure(bytes, RelayFrame.RequestByte, MinLength, out total, out fault);

    /// <summary>The nonce of a header that is there at least so far.</summary>
    public static UInt128 NonceOf(ReadOnlySpan<byte> header) => BinaryPrimitives.ReadUInt128BigEndian(header[(RelayFrame.FrontLength + ProxyKey.IdLength)..]);

    /// <summary>Appends the header, sealed when there is a key; returns its length.</summary>
    public static int Write(Span<byte> output, RelayRequest request, ProxyKey? key)
    {
        Span<byte> clear = stackalloc byte[1024];
        int bodyLength = WriteBody(clear, request);
        int total = ClearLength + bodyLength + (key is null ? 0 : HeaderSealer.TagLength);
        RelayFrame.WriteFront(output, RelayFrame.RequestByte, key is not null, total);
        Span<byte> id = output.Slice(RelayFrame.FrontLength, ProxyKey.IdLength);
        Span<byte> salt = output.Slice(RelayFrame.FrontLength + ProxyKey.IdLength, RelayFrame.NonceLength);
        BinaryPrimitives.WriteUInt128BigEndian(salt, request.Nonce);
        if (key is null)
        {
            id.Clear();
            clear[..bodyLength].CopyTo(output[ClearLength..]);
        }
        else
        {
            key.IdBytes.CopyTo(id);
            HeaderSealer.SealRequest(key, salt, clear[..bodyLength], output[ClearLength..], output[..ClearLength]);
        }
        return total;
    }

    /// <summary>Reads a whole header; a server that has keys accepts only headers sealed with one of them.</summary>
    public static RelayRequestReading Read(ReadOnlySpan<byte> header, IReadOnlyList<ProxyKey> keys)
    {
        UInt128 nonce = NonceOf(header);
        ReadOnlySpan<byte> body = header[ClearLength..];
        if (!RelayFrame.IsSealed(header))
        {
            RelayRequestReading open = ReadBody(body, nonce, null);
            // a session asks for nothing yet: its channels bring requests of their own
            return keys.Count == 0 || open.Request is { Command: RelayCommand.Session } ? open : Refuse(ProxyErrorReason.AuthenticationFailed, "a key is required", nonce);
        }
        if (keys.Count == 0) return Refuse(ProxyErrorReason.AuthenticationFailed, "a key was used, but this proxy server has none", nonce);
        ProxyKey? key = Find(keys, header.Slice(RelayFrame.FrontLength, ProxyKey.IdLength));
        if (key is null) return Refuse(ProxyErrorReason.AuthenticationFailed, "wrong key", nonce);
        Span<byte> clear = stackalloc byte[RelayFrame.MaxLength];
        ReadOnlySpan<byte> salt = header.Slice(RelayFrame.FrontLength + ProxyKey.IdLength, RelayFrame.NonceLength);
        return HeaderSealer.TryOpenRequest(key, salt, body, clear, header[..ClearLength])
            ? ReadBody(clear[..(body.Length - HeaderSealer.TagLength)], nonce, key)
            : Refuse(ProxyErrorReason.AuthenticationFailed, "the sealed header was changed on its way", nonce);
    }

    private static int WriteBody(Span<byte> output, RelayRequest request)
    {
        var writer = new SpanWriter(output);
        writer.Int64(request.Timestamp.ToUnixTimeMilliseconds());
        writer.Byte((byte)request.Command);
        RelayAddressCodec.Write(ref writer, request.Next);
        if (!request.Trust.Pin.IsEmpty) WriteOption(ref writer, ThumbprintOption | CriticalBit, request.Trust.Pin);
        if (request.ServerName is not null) WriteOption(ref writer, ServerNameOption | CriticalBit, Encoding.UTF8.GetBytes(request.ServerName));
        if (request.PayloadKeyId.Length > 0) WriteOption(ref writer, PayloadKeyOption | CriticalBit, Convert.FromHexString(request.PayloadKeyId));
        return writer.Length;
    }

    private static void WriteOption(ref SpanWriter writer, byte type, ReadOnlySpan<byte> value)
    {
        writer.Byte(type);
        writer.UInt16(value.Length);
        writer.Bytes(value);
    }

    private static RelayRequestReading ReadBody(ReadOnlySpan<byte> body, UInt128 nonce, ProxyKey? key)
    {
        var reader = new SpanReader(body);
        long timestamp = reader.Int64();
        byte command = reader.Byte();
        if (reader.Failed || timestamp is < 0 or > 253402300799999) return Refuse(ProxyErrorReason.ProtocolError, "the timestamp is not valid", nonce, key);
        if (command is < (byte)RelayCommand.Connect or > (byte)RelayCommand.Session)
            return Refuse(ProxyErrorReason.Unsupported, $"command {command} is not known", nonce, key);
        var request = new RelayRequest
        {
            Command = (RelayCommand)command,
            Nonce = nonce,
            Timestamp = DateTimeOffset.FromUnixTimeMilliseconds(timestamp),
            Next = RelayAddressCodec.Read(ref reader, out string fault),
        };
        if (fault.Length > 0) return Refuse(ProxyErrorReason.ProtocolError, fault, nonce, key);
        if (request.Next is null != (request.Command is RelayCommand.Probe or RelayCommand.Session))
            return Refuse(ProxyErrorReason.ProtocolError, "a connect needs an address, and a probe or session has none", nonce, key);
        if ((request.Next?.Kind == TransportKind.Udp) != (request.Command is RelayCommand.Datagram or RelayCommand.DatagramStream))
            return Refuse(ProxyErrorReason.ProtocolError, "the command does not go with the transport of its address", nonce, key);
        return ReadOptions(ref reader, request, key);
    }

    private static RelayRequestReading ReadOptions(ref SpanReader reader, RelayRequest request, ProxyKey? key)
    {
        while (reader.Remaining > 0)
        {
            byte type = reader.Byte();
            ReadOnlySpan<byte> value = reader.Bytes(reader.UInt16());
            if (reader.Failed) return Refuse(ProxyErrorReason.ProtocolError, "an option is cut short", request.Nonce, key);
            switch (type & ~CriticalBit)
            {
                case ThumbprintOption when value.Length == TlsTrust.ThumbprintLength:
                    request = request with { Trust = TlsTrust.Pinned(value) };
                    break;
                case ServerNameOption when value.Length is > 0 and <= 253 && !value.ContainsAnyExceptInRange((byte)0x21, (byte)0x7E):
                    request = request with { ServerName = Encoding.ASCII.GetString(value) };
                    break;
                case PayloadKeyOption when value.Length == ProxyKey.IdLength:
                    request = request with { PayloadKeyId = Convert.ToHexStringLower(value) };
                    break;
                case var _ when (type & CriticalBit) != 0:
                    return Refuse(ProxyErrorReason.Unsupported, $"option {type & ~CriticalBit} is not known or not valid", request.Nonce, key);
            }
        }
        return new RelayRequestReading(request, ProxyErrorReason.None, "", request.Nonce, key);
    }

    private static RelayRequestReading Refuse(ProxyErrorReason reason, string message, UInt128 nonce, ProxyKey? key = null) =>
        new(null, reason, message, nonce, key);

    private static ProxyKey? Find(IReadOnlyList<ProxyKey> keys, ReadOnlySpan<byte> id)
    {
        foreach (ProxyKey key in keys)
        {
            if (key.IdBytes.SequenceEqual(id)) return key;
        }
        return null;
    }
}

using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Protocols;

/// <summary>
/// The relay response header: front (6 bytes), echo of the request's nonce (16), salt (16), body; the body is reason (1),
/// stage (1), connect time (4, µs), message (length 1, UTF-8), link (1, left out when not told), and is sealed when the hop opened a sealed request.
/// docs/protocols/relay.md, "Response".
/// </summary>
internal static class RelayResponseCodec
{
    public const int MinLength = ClearLength + MinBodyLength;

    private const int ClearLength = RelayFrame.FrontLength + (2 * RelayFrame.NonceLength);
    private const int MinBodyLength = 7;
    private const int MaxBodyLength = MinBodyLength + 255 + 1;
    private const int SaltOffset = RelayFrame.FrontLength + RelayFrame.NonceLength;

    /// <summary>The longest header this codec writes.</summary>
    public const int MaxWrittenLength = ClearLength + MaxBodyLength + HeaderSealer.TagLength;

    public static HeaderStatus Measure(ReadOnlySpan<byte> bytes, out int total, out string fault) =>
        RelayFrame.Measure(bytes, RelayFrame.ResponseByte, MinLength, out total, out fault);

    /// <summary>A fresh salt, as every response needs one: it must never be used twice with one key.</summary>
    public static UInt128 NewSalt()
    {
        Span<byte> salt = stackalloc byte[RelayFrame.NonceLength];
        RandomNumberGenerator.Fill(salt);
        return BinaryPrimitives.ReadUInt128BigEndian(salt);
    }

    /// <summary>Writes the header, sealed when there is a key; returns its length.</summary>
    public static int Write(Span<byte> output, RelayResponse response, ProxyKey? key)
    {
        Span<byte> clear = stackalloc byte[MaxBodyLength];
        int bodyLength = WriteBody(clear, response);
        int total = ClearLength + bodyLength + (key is null ? 0 : HeaderSealer.TagLength);
        RelayFrame.WriteFront(output, RelayFrame.ResponseByte, key is not null, total);
        BinaryPrimitives.WriteUInt128BigEndian(output[RelayFrame.FrontLength..], response.Nonce);
        BinaryPrimitives.WriteUInt128BigEndian(output[SaltOffset..], response.Salt);
        if (key is null) clear[..bodyLength].CopyTo(output[ClearLength..]);
        else HeaderSealer.SealResponse(key, output[RelayFrame.FrontLength..ClearLength], clear[..bodyLength], output[ClearLength..], output[..ClearLength]);
        return total;
    }

    /// <summary>
    /// Reads a whole header that answers the request with <paramref name="nonce"/>. When the request was sealed, success counts
    /// only if it is sealed too; a refusal may be in the clear, since a hop without the key cannot seal it.
    /// </summary>
    /// <returns>The response, or null with the fault.</returns>
    public static RelayResponse? Read(ReadOnlySpan<byte> header, UInt128 nonce, ProxyKey? key, out string fault)
    {
        fault = "";
        UInt128 echo = BinaryPrimitives.ReadUInt128BigEndian(header[RelayFrame.FrontLength..]);
        scoped ReadOnlySpan<byte> body = header[ClearLength..];
        bool isSealed = RelayFrame.IsSealed(header);
        Span<byte> clear = stackalloc byte[RelayFrame.MaxLength];
        if (isSealed)
        {
            if (key is null || !HeaderSealer.TryOpenResponse(key, header[RelayFrame.FrontLength..ClearLength], body, clear, header[..ClearLength]))
            {
                fault = "its sealed answer does not open with this key";
                return null;
            }
            body = clear[..(body.Length - HeaderSealer.TagLength)];
        }
        RelayResponse? response = ReadBody(body, echo, BinaryPrimitives.ReadUInt128BigEndian(header[SaltOffset..]));
        if (response is null) fault = "its answer is malformed";
        else if (echo != nonce && (echo != UInt128.Zero || response.Reason == ProxyErrorReason.None)) fault = "its answer belongs to another request";
        else if (response.Reason == ProxyErrorReason.None && isSealed != key is not null) fault = "its answer should be sealed and is not";
        return fault.Length == 0 ? response : null;
    }

    private static int WriteBody(Span<byte> output, RelayResponse response)
    {
        var writer = new SpanWriter(output);
        writer.Byte((byte)response.Reason);
        writer.Byte((byte)response.Stage);
        writer.UInt32((uint)Math.Clamp(response.ConnectTime.TotalMicroseconds, 0, uint.MaxValue));
        Span<byte> text = stackalloc byte[255];
        Encoding.UTF8.GetEncoder().Convert(response.Message, text, flush: true, out _, out int used, out _);
        writer.Byte((byte)used);
        writer.Bytes(text[..used]);
        if (response.Link != RelayLink.NotTold) writer.Byte((byte)response.Link);
        return writer.Length;
    }

    // what follows the link is kept for later versions and ignored
    private static RelayResponse? ReadBody(ReadOnlySpan<byte> body, UInt128 nonce, UInt128 salt)
    {
        var reader = new SpanReader(body);
        byte reason = reader.Byte();
        byte stage = reader.Byte();
        uint connectTime = reader.UInt32();
        string message = Printable(Encoding.UTF8.GetString(reader.Bytes(reader.Byte())));
        if (reader.Failed) return null;
        byte link = reader.Remaining > 0 ? reader.Byte() : (byte)0;
        return new RelayResponse
        {
            Nonce = nonce,
            Salt = salt,
            Reason = reason <= (byte)ProxyErrorReason.Other ? (ProxyErrorReason)reason : ProxyErrorReason.Other,
            Stage = (ProxyStage)stage,
            ConnectTime = TimeSpan.FromMicroseconds(connectTime),
            Message = message,
            Link = link <= (byte)RelayLink.KeptSession ? (RelayLink)link : RelayLink.NotTold,
        };
    }

    // the text comes from another machine and ends up on a terminal
    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
}

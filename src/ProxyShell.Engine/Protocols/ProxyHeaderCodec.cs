namespace ProxyShell.Engine.Protocols;

/// <summary>
/// The PROXY protocol, versions 1 and 2 (docs/protocols/proxy-protocol.md; "The PROXY protocol" of haproxy). A version 1 header is one
/// line, <c>PROXY TCP4 192.0.2.7 192.0.2.1 56324 443\r\n</c>; a version 2 header is 12 bytes of signature, command, family, length, addresses.
/// </summary>
internal static class ProxyHeaderCodec
{
    /// <summary>The longest header that is read: room for what balancers say about TLS and their own networks besides the addresses.</summary>
    public const int MaxLength = 4096;

    /// <summary>The longest header that is written.</summary>
    public const int MaxWrittenLength = ProxyHeaderV2.FrontLength + ProxyHeaderV2.UnixLength;

    /// <summary>Finds the length of a header, or what keeps the bytes from being one.</summary>
    public static HeaderStatus Measure(ReadOnlySpan<byte> bytes, out int length, out string fault)
    {
        (length, fault) = (0, "");
        if (bytes.IsEmpty) return HeaderStatus.Incomplete;
        if (IsBeginning(bytes, ProxyHeaderV2.Signature)) return ProxyHeaderV2.Measure(bytes, out length, out fault);
        if (IsBeginning(bytes, ProxyHeaderV1.Beginning)) return ProxyHeaderV1.Measure(bytes, out length, out fault);
        fault = bytes[0] switch
        {
            0x16 => "there is no PROXY header before the TLS handshake",
            _ => $"there is no PROXY header; the first byte is 0x{bytes[0]:X2}",
        };
        return HeaderStatus.Invalid;
    }

    /// <summary>Reads a whole header; null for one that is malformed.</summary>
    public static ProxyHeader? Read(ReadOnlySpan<byte> bytes, out string fault) =>
        bytes[0] == ProxyHeaderV2.Signature[0] ? ProxyHeaderV2.Read(bytes, out fault) : ProxyHeaderV1.Read(bytes, out fault);

    /// <summary>Writes a header into a span of at least <see cref="MaxWrittenLength"/> bytes; returns its length.</summary>
    public static int Write(Span<byte> output, ProxyHeaderVersion version, ProxyHeader header) => version switch
    {
        ProxyHeaderVersion.V1 => ProxyHeaderV1.Write(output, header),
        ProxyHeaderVersion.V2 => ProxyHeaderV2.Write(output, header),
        _ => 0,
    };

    // as far as there are bytes
    private static bool IsBeginning(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> beginning)
    {
        int common = Math.Min(bytes.Length, beginning.Length);
        return bytes[..common].SequenceEqual(beginning[..common]);
    }
}

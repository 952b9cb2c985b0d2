using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Protocols.Striping;

/// <summary>
/// The first words on a stripe, from the near end: "PSST", version 1, flags, the key's id (8 bytes, zeros without a key), the pipe (16), the stripe's number (4,
/// big-endian), a nonce (32). docs/protocols/striping.md, "Handshake".
/// </summary>
/// <param name="Pipe">128 random bits that name the pipe.</param>
/// <param name="Number">The stripe's number in the pipe; none is used twice.</param>
/// <param name="Begins">Whether the pipe is to be made if the far end does not know it.</param>
internal sealed record StripeHello(UInt128 Pipe, uint Number, bool Begins)
{
    public const int Length = 66;
    public const int NonceLength = 32;
    public const byte Version = 1;

    private const byte BeginsFlag = 1;

    public byte[] KeyId { get; init; } = new byte[ProxyKey.IdLength];

    public byte[] Nonce { get; init; } = new byte[NonceLength];

    public byte[] Write()
    {
        var bytes = new byte[Length];
        var writer = new SpanWriter(bytes);
        writer.Bytes("PSST"u8);
        writer.Byte(Version);
        writer.Byte(Begins ? BeginsFlag : (byte)0);
        writer.Bytes(KeyId);
        writer.UInt128(Pipe);
        writer.UInt32(Number);
        writer.Bytes(Nonce);
        return bytes;
    }

    /// <summary>Reads a hello; null and the fault when the bytes are none.</summary>
    public static StripeHello? Read(ReadOnlySpan<byte> bytes, out string fault)
    {
        fault = "";
        var reader = new SpanReader(bytes);
        if (!reader.Bytes(4).SequenceEqual("PSST"u8)) fault = "sent something that is no stripe";
        else if (reader.Byte() != Version) fault = $"speaks version {bytes[4]} of stripes, not {Version}";
        if (fault.Length > 0) return null;
        byte flags = reader.Byte();
        byte[] keyId = reader.Bytes(ProxyKey.IdLength).ToArray();
        var hello = new StripeHello(reader.UInt128(), reader.UInt32(), (flags & BeginsFlag) != 0) { KeyId = keyId, Nonce = reader.Bytes(NonceLength).ToArray() };
        if (!reader.Failed) return hello;
        fault = "sent a hello that is cut off";
        return null;
    }
}

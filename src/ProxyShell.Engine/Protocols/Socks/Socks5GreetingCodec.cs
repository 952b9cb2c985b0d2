namespace ProxyShell.Engine.Protocols.Socks;

/// <summary>
/// The client's greeting, VER (1 byte) NMETHODS (1) METHODS (0 to 255), and the server's choice, VER (1) METHOD (1). RFC 1928 §3.
/// </summary>
internal static class Socks5GreetingCodec
{
    public const int ChoiceLength = 2;

    /// <summary>The choices that this server makes, ready to send.</summary>
    public static ReadOnlyMemory<byte> NoneChosen { get; } = Choice(SocksMethod.None);

    public static ReadOnlyMemory<byte> UserPasswordChosen { get; } = Choice(SocksMethod.UserPassword);

    public static ReadOnlyMemory<byte> NothingAcceptable { get; } = Choice(SocksMethod.Unacceptable);

    /// <summary>Measures a greeting whose first byte is known to be the version.</summary>
    public static HeaderStatus Measure(ReadOnlySpan<byte> bytes, out int length)
    {
        length = bytes.Length < 2 ? 2 : 2 + bytes[1];
        return bytes.Length < length ? HeaderStatus.Incomplete : HeaderStatus.Complete;
    }

    public static bool Offers(ReadOnlySpan<byte> greeting, SocksMethod method) => greeting[2..].Contains((byte)method);

    /// <summary>Writes a greeting; returns its length.</summary>
    public static int Write(Span<byte> output, params ReadOnlySpan<SocksMethod> methods)
    {
        (output[0], output[1]) = (SocksVersion.Five, (byte)methods.Length);
        for (int i = 0; i < methods.Length; i++) output[2 + i] = (byte)methods[i];
        return 2 + methods.Length;
    }

    /// <summary>Reads a server's choice of <see cref="ChoiceLength"/> bytes; null when it is none of version 5.</summary>
    public static SocksMethod? ReadChoice(ReadOnlySpan<byte> choice) => choice[0] == SocksVersion.Five ? (SocksMethod)choice[1] : null;

    private static ReadOnlyMemory<byte> Choice(SocksMethod method) => new[] { SocksVersion.Five, (byte)method };
}

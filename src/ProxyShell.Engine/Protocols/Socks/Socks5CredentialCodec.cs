using System.Text;

namespace ProxyShell.Engine.Protocols.Socks;

/// <summary>
/// User name and password, VER (1 byte, 1) ULEN (1) UNAME PLEN (1) PASSWD, and the answer, VER (1) STATUS (1, 0 for success). RFC 1929 §2.
/// </summary>
internal static class Socks5CredentialCodec
{
    public const int MaxLength = 1 + 1 + 255 + 1 + 255;
    public const int AnswerLength = 2;

    private const byte Version = 1;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static ReadOnlyMemory<byte> Accepted { get; } = new byte[] { Version, 0 };

    public static ReadOnlyMemory<byte> Rejected { get; } = new byte[] { Version, 1 };

    public static HeaderStatus Measure(ReadOnlySpan<byte> bytes, out int length, out string fault)
    {
        (length, fault) = (0, "");
        if (bytes.IsEmpty) return HeaderStatus.Incomplete;
        if (bytes[0] != Version)
        {
            fault = $"the user name and password begin with version {bytes[0]}, not {Version}";
            return HeaderStatus.Invalid;
        }
        if (bytes.Length < 2) return HeaderStatus.Incomplete;
        int passwordStart = 2 + bytes[1] + 1;
        if (bytes.Length < passwordStart) return HeaderStatus.Incomplete;
        length = passwordStart + bytes[passwordStart - 1];
        return bytes.Length < length ? HeaderStatus.Incomplete : HeaderStatus.Complete;
    }

    /// <summary>Reads what is whole; false when the bytes are no text, which no credential can match.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out string userName, out string password)
    {
        try
        {
            userName = StrictUtf8.GetString(bytes.Slice(2, bytes[1]));
            password = StrictUtf8.GetString(bytes[(2 + bytes[1] + 1)..]);
            return true;
        }
        catch (DecoderFallbackException)
        {
            (userName, password) = ("", "");
            return false;
        }
    }

    /// <summary>Writes user name and password, of at most 255 bytes each; returns the length.</summary>
    public static int Write(Span<byte> output, string userName, string password)
    {
        var writer = new SpanWriter(output);
        writer.Byte(Version);
        WriteText(ref writer, userName);
        WriteText(ref writer, password);
        return writer.Length;
    }

    /// <summary>Whether an answer of <see cref="AnswerLength"/> bytes accepts; its version is not looked at, since some servers say 5.</summary>
    public static bool IsAcceptance(ReadOnlySpan<byte> answer) => answer[1] == 0;

    private static void WriteText(ref SpanWriter writer, string text)
    {
        byte[] bytes = StrictUtf8.GetBytes(text);
        writer.Byte((byte)bytes.Length);
        writer.Bytes(bytes);
    }
}

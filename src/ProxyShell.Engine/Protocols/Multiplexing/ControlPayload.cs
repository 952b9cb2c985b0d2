using System.Text;

namespace ProxyShell.Engine.Protocols.Multiplexing;

/// <summary>
/// The payloads of versions 2 and 3, in MessagePack: an offer <c>[name]</c> or <c>[name, window]</c>, an acceptance <c>[]</c> or
/// <c>[window]</c>, an acknowledgement or a window <c>[bytes]</c>, the error of a termination <c>["type: message"]</c>. Items behind these are
/// passed over.
/// </summary>
internal static class ControlPayload
{
    /// <summary>The longest name, in bytes of UTF-8, that an offer has room for in every version.</summary>
    public const int MaxName = FrameCodec.MaxPayload - 16;

    /// <summary>The longest error text that is sent, in bytes of UTF-8.</summary>
    public const int MaxError = 1000;

    /// <summary>The window of a peer that does not say how large it is: that of all versions released so far.</summary>
    public const long UntoldWindow = 5 * FrameCodec.MaxPayload;

    public static bool TryReadOffer(ReadOnlySpan<byte> payload, out string name, out long window)
    {
        var reader = new MsgPackReader(payload);
        long items = reader.Array();
        name = Encoding.UTF8.GetString(reader.String());
        window = items > 1 ? reader.Integer() : UntoldWindow;
        return items > 0 && window > 0 && reader.Status == HeaderStatus.Complete;
    }

    public static bool TryReadAcceptance(ReadOnlySpan<byte> payload, out long window)
    {
        var reader = new MsgPackReader(payload);
        window = reader.Array() > 0 ? reader.Integer() : UntoldWindow;
        return window > 0 && reader.Status == HeaderStatus.Complete;
    }

    /// <summary>Reads a number of bytes, which is not negative.</summary>
    public static bool TryReadCount(ReadOnlySpan<byte> payload, out long count)
    {
        var reader = new MsgPackReader(payload);
        long items = reader.Array();
        count = reader.Integer();
        return items > 0 && count >= 0 && reader.Status == HeaderStatus.Complete;
    }

    /// <summary>Reads the error of a termination; null when there is none.</summary>
    public static string? ReadError(ReadOnlySpan<byte> payload)
    {
        var reader = new MsgPackReader(payload);
        if (payload.IsEmpty || reader.Array() == 0 || reader.TryNil()) return null;
        string text = Encoding.UTF8.GetString(reader.String());
        return reader.Status == HeaderStatus.Complete ? text : null;
    }

    /// <summary>An error text as it is sent: no longer than allowed, cut between two characters.</summary>
    public static byte[] ErrorBytes(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int length = Math.Min(bytes.Length, MaxError);
        // a byte 10xxxxxx goes on with the character before it
        while (length < bytes.Length && length > 0 && (bytes[length] & 0xC0) == 0x80) length--;
        return bytes[..length];
    }
}

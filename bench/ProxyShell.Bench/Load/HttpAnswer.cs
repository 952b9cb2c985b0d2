using System.Buffers.Text;
using System.Text;

namespace ProxyShell.Bench.Load;

/// <summary>Just enough of HTTP/1.1 to find the end of an answer that tells its length.</summary>
internal static class HttpAnswer
{
    private static ReadOnlySpan<byte> LengthField => "\r\nContent-Length: "u8;

    private static ReadOnlySpan<byte> LowerLengthField => "\r\ncontent-length: "u8;

    /// <summary>As <see cref="AnswerLength"/>, head and body; anything but 200 is refused.</summary>
    internal static int Length(ReadOnlySpan<byte> received)
    {
        int head = HeadLength(received);
        if (head <= 0)
            return head;
        int length = head + (int)BodyLength(received[..head]);
        return received.Length < length ? 0 : length;
    }

    /// <summary>As <see cref="AnswerLength"/>, the head alone.</summary>
    internal static int HeadLength(ReadOnlySpan<byte> received)
    {
        int end = received.IndexOf("\r\n\r\n"u8);
        if (end < 0)
            return 0;
        return received.StartsWith("HTTP/1.1 200"u8) ? end + 4 : Exchange.Refused;
    }

    /// <summary>What the head says of the body's length.</summary>
    internal static long BodyLength(ReadOnlySpan<byte> head)
    {
        int at = head.IndexOf(LengthField);
        if (at < 0)
            at = head.IndexOf(LowerLengthField);
        return at >= 0 && Utf8Parser.TryParse(head[(at + LengthField.Length)..], out long length, out _) ? length : 0;
    }

    internal static byte[] Get(string host, string path) => Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
}

using System.Text.Json;

namespace ProxyShell.Engine.Protocols.Tunnels;

/// <summary>
/// Messages in a stream: each a JSON object (RFC 8259, UTF-8) in a line of its own, which ends with a line feed (0x0A) and has at most 16,384
/// bytes with it. docs/protocols/tunnel.md, "Control channel".
/// </summary>
internal static class ControlMessageCodec
{
    public const int MaxLength = 16 * 1024;

    private const byte LineFeed = (byte)'\n';

    public static byte[] Write(ControlMessage message) => [.. JsonSerializer.SerializeToUtf8Bytes(message, TunnelJson.Default.ControlMessage), LineFeed];

    /// <summary>Reads the message that the bytes begin with.</summary>
    public static HeaderStatus Read(ReadOnlySpan<byte> bytes, out int length, out ControlMessage? message, out string fault)
    {
        (message, fault) = (null, "");
        length = bytes.IndexOf(LineFeed) + 1;
        if (length == 0 && bytes.Length < MaxLength) return HeaderStatus.Incomplete;
        if (length is 0 or > MaxLength)
        {
            fault = $"a control message is longer than {MaxLength:N0} bytes";
            return HeaderStatus.Invalid;
        }
        message = TunnelJson.Read(bytes[..(length - 1)], TunnelJson.Default.ControlMessage, out string what);
        if (message is { Type: not null }) return HeaderStatus.Complete;
        if (message is not null) (message, what) = (null, "it has no type");
        fault = $"a control message cannot be read: {what}";
        return HeaderStatus.Invalid;
    }
}

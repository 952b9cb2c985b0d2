using System.Net;
using System.Net.Sockets;
using System.Text;
using ProxyShell.Engine.Addressing;

namespace ProxyShell.Engine.Protocols.Socks;

/// <summary>
/// The request of version 4: VN (1 byte) CD (1) DSTPORT (2) DSTIP (4) USERID NUL; in 4a, when DSTIP is 0.0.0.x with x not 0, a name
/// and NUL follow. "SOCKS: A protocol for TCP proxy across firewalls" and "SOCKS 4A" by Ying-Da Lee.
/// </summary>
internal static class Socks4RequestCodec
{
    /// <summary>The most bytes that a user id or a name may have.</summary>
    public const int MaxTextLength = 255;

    public const int MaxLength = UserIdStart + MaxTextLength + 1 + MaxTextLength + 1;

    private const int UserIdStart = 8;

    public static HeaderStatus Measure(ReadOnlySpan<byte> bytes, out int length, out string fault)
    {
        (length, fault) = (0, "");
        if (bytes.Length < UserIdStart) return HeaderStatus.Incomplete;
        HeaderStatus status = MeasureText(bytes, UserIdStart, "user id", out length, out fault);
        return status != HeaderStatus.Complete || !HasName(bytes) ? status : MeasureText(bytes, length, "name", out length, out fault);
    }

    /// <summary>Reads what is whole.</summary>
    public static SocksRequestReading Read(ReadOnlySpan<byte> bytes)
    {
        byte command = bytes[1];
        if (command is not ((byte)SocksCommand.Connect or (byte)SocksCommand.Bind))
            return SocksRequestReading.Refuse(SocksReplyCode.CommandNotSupported, $"command {command} is not known");
        int port = (bytes[2] << 8) | bytes[3];
        string fault = "";
        HostEndpoint? address = HasName(bytes)
            ? SocksAddressCodec.ReadName(NameOf(bytes), port, out fault)
            : HostEndpoint.From(new IPEndPoint(new IPAddress(bytes[4..UserIdStart]), port));
        return address is not null
            ? SocksRequestReading.Of(new SocksRequest(SocksVersion.Four, (SocksCommand)command, address))
            : SocksRequestReading.Refuse(SocksReplyCode.GeneralFailure, fault);
    }

    /// <summary>Writes a request, of 4a when the address is not an IPv4 address; returns its length.</summary>
    public static int Write(Span<byte> output, SocksCommand command, HostEndpoint address, string userId)
    {
        var writer = new SpanWriter(output);
        writer.Byte(SocksVersion.Four);
        writer.Byte((byte)command);
        writer.UInt16(address.Port);
        bool isIpv4 = address.Address is { AddressFamily: AddressFamily.InterNetwork };
        writer.Bytes(isIpv4 ? address.Address!.GetAddressBytes() : [0, 0, 0, 1]);
        WriteText(ref writer, userId);
        if (!isIpv4) WriteText(ref writer, address.Host);
        return writer.Length;
    }

    private static bool HasName(ReadOnlySpan<byte> bytes) => bytes is [_, _, _, _, 0, 0, 0, not 0, ..];

    private static ReadOnlySpan<byte> NameOf(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> texts = bytes[UserIdStart..^1];
        return texts[(texts.IndexOf((byte)0) + 1)..];
    }

    private static HeaderStatus MeasureText(ReadOnlySpan<byte> bytes, int start, string what, out int end, out string fault)
    {
        int length = bytes[start..].IndexOf((byte)0);
        (end, fault) = (start + length + 1, "");
        if (length >= 0 && length <= MaxTextLength) return HeaderStatus.Complete;
        if (length < 0 && bytes.Length - start <= MaxTextLength) return HeaderStatus.Incomplete;
        fault = $"the {what} is longer than {MaxTextLength} bytes";
        return HeaderStatus.Invalid;
    }

    private static void WriteText(ref SpanWriter writer, string text)
    {
        writer.Bytes(Encoding.UTF8.GetBytes(text));
        writer.Byte(0);
    }
}

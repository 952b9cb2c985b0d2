using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ProxyShell.Engine.Protocols;

/// <summary>
/// Version 1: <c>PROXY</c>, <c>TCP4</c> or <c>TCP6</c>, source address, destination address, source port, destination port, with one space
/// between them and CR LF behind; or <c>PROXY UNKNOWN</c> and anything. At most 107 bytes in all.
/// </summary>
internal static class ProxyHeaderV1
{
    private const int MaxLength = 107;
    private const int Fields = 6;

    public static ReadOnlySpan<byte> Beginning => "PROXY "u8;

    private static ReadOnlySpan<byte> End => "\r\n"u8;

    public static HeaderStatus Measure(ReadOnlySpan<byte> bytes, out int length, out string fault)
    {
        int end = bytes[..Math.Min(bytes.Length, MaxLength)].IndexOf(End);
        (length, fault) = (end < 0 ? 0 : end + End.Length, "");
        if (end >= 0) return HeaderStatus.Complete;
        if (bytes.Length < MaxLength) return HeaderStatus.Incomplete;
        fault = $"its PROXY line has no end within {MaxLength} bytes";
        return HeaderStatus.Invalid;
    }

    public static ProxyHeader? Read(ReadOnlySpan<byte> bytes, out string fault)
    {
        fault = "";
        string[] fields = Encoding.Latin1.GetString(bytes[..^End.Length]).Split(' ');
        if (fields[1] == "UNKNOWN") return ProxyHeader.Unknown;
        AddressFamily family = fields[1] switch { "TCP4" => AddressFamily.InterNetwork, "TCP6" => AddressFamily.InterNetworkV6, _ => AddressFamily.Unspecified };
        if (family == AddressFamily.Unspecified)
            fault = "its PROXY line names neither TCP4 nor TCP6 nor UNKNOWN";
        else if (fields.Length != Fields)
            fault = $"its PROXY line has {fields.Length} fields instead of {Fields}";
        else if (!TryAddress(fields[2], family, out IPAddress? source) || !TryAddress(fields[3], family, out IPAddress? destination))
            fault = $"its PROXY line holds what is no {fields[1]} address";
        else if (!TryPort(fields[4], out int sourcePort) || !TryPort(fields[5], out int destinationPort))
            fault = "its PROXY line holds what is no port";
        else
            return new ProxyHeader(true, new IPEndPoint(source, sourcePort), new IPEndPoint(destination, destinationPort));
        return null;
    }

    public static int Write(Span<byte> output, ProxyHeader header)
    {
        string line = ProxyHeaderAddresses.TryPair(header, out IPEndPoint? source, out IPEndPoint? destination)
            ? string.Create(CultureInfo.InvariantCulture, $"PROXY TCP{(source.AddressFamily == AddressFamily.InterNetwork ? 4 : 6)} {source.Address} {destination.Address} {source.Port} {destination.Port}\r\n")
            : "PROXY UNKNOWN\r\n";
        return Encoding.ASCII.GetBytes(line, output);
    }

    // .NET reads more than the four numbers of IPv4 and the colons of IPv6: numbers of other bases, brackets, scopes
    private static bool TryAddress(string text, AddressFamily family, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IPAddress? address) =>
        IPAddress.TryParse(text, out address) && address.AddressFamily == family
        && (family == AddressFamily.InterNetwork ? address.ToString() == text : text.All(c => char.IsAsciiHexDigit(c) || c is ':' or '.'));

    private static bool TryPort(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= 65535 && (text.Length == 1 || text[0] != '0');
}

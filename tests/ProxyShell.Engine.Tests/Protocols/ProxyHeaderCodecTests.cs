using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using ProxyShell.Engine.Protocols;

namespace ProxyShell.Engine.Tests.Protocols;

public class ProxyHeaderCodecTests
{
    public static TheoryData<string> Vectors => new(LoadVectors().Select(v => v.GetProperty("name").GetString()!));

    [Theory]
    [MemberData(nameof(Vectors))]
    public void The_published_vectors_hold(string name)
    {
        JsonElement vector = LoadVectors().Single(v => v.GetProperty("name").GetString() == name);
        byte[] bytes = Bytes(vector);
        string? source = vector.GetProperty("source").GetString(), destination = vector.GetProperty("destination").GetString();
        var expected = new ProxyHeader(destination is not null, EndPointOf(source), EndPointOf(destination));

        Assert.Equal(HeaderStatus.Complete, ProxyHeaderCodec.Measure([.. bytes, .. "payload"u8], out int length, out _));
        Assert.Equal(bytes.Length, length);
        Assert.Equal(expected, ProxyHeaderCodec.Read(bytes, out _));

        if (!vector.GetProperty("written").GetBoolean()) return;
        var buffer = new byte[ProxyHeaderCodec.MaxWrittenLength];
        int written = ProxyHeaderCodec.Write(buffer, name.StartsWith("v1", StringComparison.Ordinal) ? ProxyHeaderVersion.V1 : ProxyHeaderVersion.V2, expected);
        Assert.Equal(Convert.ToHexString(bytes), Convert.ToHexString(buffer, 0, written));
    }

    [Theory]
    [MemberData(nameof(Vectors))]
    public void Every_part_of_a_header_is_incomplete(string name)
    {
        byte[] bytes = Bytes(LoadVectors().Single(v => v.GetProperty("name").GetString() == name));
        for (int length = 0; length < bytes.Length; length++) Assert.Equal(HeaderStatus.Incomplete, ProxyHeaderCodec.Measure(bytes.AsSpan(0, length), out _, out _));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n", "there is no PROXY header; the first byte is 0x47")]
    [InlineData("\u0016\u0003\u0001", "there is no PROXY header before the TLS handshake")]
    [InlineData("PROXZ", "there is no PROXY header; the first byte is 0x50")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 1 2 333333333333333333333333333333333333333333333333333333333333333333333", "its PROXY line has no end within 107 bytes")]
    [InlineData("PROXY \r\n", "its PROXY line names neither TCP4 nor TCP6 nor UNKNOWN")]
    [InlineData("PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n", "its PROXY line names neither TCP4 nor TCP6 nor UNKNOWN")]
    [InlineData("PROXY TCP4\r\n", "its PROXY line has 2 fields instead of 6")]
    [InlineData("PROXY TCP4 192.0.2.7  198.51.100.1 1 2\r\n", "its PROXY line has 7 fields instead of 6")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 1 2 \r\n", "its PROXY line has 7 fields instead of 6")]
    [InlineData("PROXY TCP4 192.0.2.256 198.51.100.1 1 2\r\n", "its PROXY line holds what is no TCP4 address")]
    [InlineData("PROXY TCP4 192.0.2.07 198.51.100.1 1 2\r\n", "its PROXY line holds what is no TCP4 address")]
    [InlineData("PROXY TCP4 0x7f.1 198.51.100.1 1 2\r\n", "its PROXY line holds what is no TCP4 address")]
    [InlineData("PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n", "its PROXY line holds what is no TCP4 address")]
    [InlineData("PROXY TCP6 192.0.2.7 2001:db8::1 1 2\r\n", "its PROXY line holds what is no TCP6 address")]
    [InlineData("PROXY TCP6 fe80::1%eth0 2001:db8::1 1 2\r\n", "its PROXY line holds what is no TCP6 address")]
    [InlineData("PROXY TCP6 [2001:db8::7] 2001:db8::1 1 2\r\n", "its PROXY line holds what is no TCP6 address")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 1 65536\r\n", "its PROXY line holds what is no port")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 +1 2\r\n", "its PROXY line holds what is no port")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 01 2\r\n", "its PROXY line holds what is no port")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 1 \r\n", "its PROXY line holds what is no port")]
    public void What_is_wrong_with_a_line_is_said(string line, string fault) => Assert.Equal(fault, FaultOf(Encoding.Latin1.GetBytes(line)));

    [Theory]
    [InlineData("11110000", "its PROXY header has version and command 0x11 instead of 0x20 or 0x21")]
    [InlineData("22110000", "its PROXY header has version and command 0x22 instead of 0x20 or 0x21")]
    [InlineData("21410000", "its PROXY header names the unknown address family 0x41")]
    [InlineData("21130000", "its PROXY header names the unknown address family 0x13")]
    [InlineData("2111000bc0000207c633640100010001", "its PROXY header is too short for the addresses it names")]
    [InlineData("21210000", "its PROXY header is too short for the addresses it names")]
    [InlineData("21310001ff", "its PROXY header is too short for the addresses it names")]
    [InlineData("21110ff1", "its PROXY header has 4097 bytes; at most 4096 are read")]
    [InlineData("2100ffff", "its PROXY header has 65551 bytes; at most 4096 are read")]
    [InlineData("2100000104", "its PROXY header ends within an extension")]
    [InlineData("21000004040002ff", "its PROXY header ends within an extension")]
    [InlineData("210000070300040000000", "the checksum of its PROXY header is wrong")]
    [InlineData("2100000603000300000", "the checksum of its PROXY header is wrong")]
    public void What_is_wrong_with_a_binary_header_is_said(string afterSignature, string fault)
    {
        if (afterSignature.Length % 2 == 1) afterSignature += "0";
        byte[] bytes = [.. ProxyHeaderV2.Signature, .. Convert.FromHexString(afterSignature), .. new byte[16]];
        Assert.Equal(fault, FaultOf(bytes));
    }

    [Theory]
    [InlineData("192.0.2.7", "2001:db8::1", "PROXY TCP6 ::ffff:192.0.2.7 2001:db8::1 1 2\r\n")]
    [InlineData("::ffff:192.0.2.7", "198.51.100.1", "PROXY TCP4 192.0.2.7 198.51.100.1 1 2\r\n")]
    [InlineData("fe80::1%3", "fe80::2%3", "PROXY TCP6 fe80::1 fe80::2 1 2\r\n")]
    public void Both_addresses_are_written_in_one_family(string source, string destination, string line)
    {
        var header = new ProxyHeader(true, new IPEndPoint(IPAddress.Parse(source), 1), new IPEndPoint(IPAddress.Parse(destination), 2));
        var buffer = new byte[ProxyHeaderCodec.MaxWrittenLength];
        Assert.Equal(line, Encoding.ASCII.GetString(buffer, 0, ProxyHeaderCodec.Write(buffer, ProxyHeaderVersion.V1, header)));
    }

    [Fact]
    public void A_client_of_a_socket_file_is_unknown_in_a_line()
    {
        var header = new ProxyHeader(true, null, new UnixDomainSocketEndPoint("/run/b.sock"));
        var buffer = new byte[ProxyHeaderCodec.MaxWrittenLength];
        Assert.Equal("PROXY UNKNOWN\r\n", Encoding.ASCII.GetString(buffer, 0, ProxyHeaderCodec.Write(buffer, ProxyHeaderVersion.V1, header)));
    }

    [Fact]
    public void Arbitrary_bytes_are_never_more_than_refused()
    {
        byte[][] seeds = [.. LoadVectors().Select(Bytes)];
        var random = new Random(11);
        for (int round = 0; round < 200_000; round++)
        {
            byte[] bytes = [.. seeds[round % seeds.Length]];
            for (int i = random.Next(1, 6); i > 0; i--) bytes[random.Next(round % 3 == 0 ? 0 : 6, bytes.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0) Array.Resize(ref bytes, random.Next(bytes.Length + 1));
            if (ProxyHeaderCodec.Measure(bytes, out int length, out string fault) == HeaderStatus.Complete && ProxyHeaderCodec.Read(bytes.AsSpan(0, length), out fault) is not null) continue;
            Assert.DoesNotContain(fault, char.IsControl);
        }
    }

    [Fact]
    public void Whatever_is_read_can_be_written_and_is_the_same()
    {
        var random = new Random(12);
        byte[] seed = Bytes(LoadVectors().Single(v => v.GetProperty("name").GetString() == "v2, Unix"));
        byte[] families = [0x11, 0x21, 0x31];
        for (int round = 0; round < 2000; round++)
        {
            byte[] bytes = [.. seed];
            bytes[13] = families[round % 3];
            random.NextBytes(bytes.AsSpan(16, round % 3 == 2 ? 20 : 36));
            bytes.AsSpan(16 + 36, 180).Clear();
            if (ProxyHeaderCodec.Read(bytes, out _) is not { } header) continue;
            var buffer = new byte[ProxyHeaderCodec.MaxWrittenLength];
            int length = ProxyHeaderCodec.Write(buffer, ProxyHeaderVersion.V2, header);
            Assert.Equal(header, ProxyHeaderCodec.Read(buffer.AsSpan(0, length), out _));
        }
    }

    private static string FaultOf(byte[] bytes)
    {
        HeaderStatus status = ProxyHeaderCodec.Measure(bytes, out int length, out string fault);
        Assert.NotEqual(HeaderStatus.Incomplete, status);
        if (status == HeaderStatus.Complete) Assert.Null(ProxyHeaderCodec.Read(bytes.AsSpan(0, length), out fault));
        return fault;
    }

    private static EndPoint? EndPointOf(string? text) =>
        string.IsNullOrEmpty(text) ? null : text[0] == '/' ? new UnixDomainSocketEndPoint(text) : IPEndPoint.Parse(text);

    private static byte[] Bytes(JsonElement vector) => Convert.FromHexString(vector.GetProperty("bytes").GetString()!);

    private static List<JsonElement> LoadVectors() =>
        [.. JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "proxy-protocol-vectors.json"))).RootElement.EnumerateArray()];
}

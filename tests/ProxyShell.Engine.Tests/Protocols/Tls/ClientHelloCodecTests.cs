using System.Text;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Tls;
using ProxyShell.Engine.Tests.Tunnels.Http;

namespace ProxyShell.Engine.Tests.Protocols.Tls;

/// <summary>The server name is found in whatever a TLS client sends first.</summary>
public class ClientHelloCodecTests
{
    // RFC 8448 §3, the ClientHello of a simple 1-RTT handshake; its name is "server"
    private const string Published =
        "16030100c4010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7000006130113031302010000910000000b0009000006736572766572"
        + "ff01000100000a00140012001d0017001800190100010101020103010400230000003300260024001d002099381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e52"
        + "9aaf2c002b0003020304000d0020001e040305030603020308040805080604010501060102010402050206020202002d00020101001c00024001";

    [Fact]
    public void The_published_hello_names_its_server()
    {
        Assert.Equal(HeaderStatus.Complete, ClientHelloCodec.Read(Convert.FromHexString(Published), out string name));
        Assert.Equal("server", name);
    }

    [Theory]
    [InlineData("app.example.org", "app.example.org")]
    [InlineData("xn--bcher-kva.example", "xn--bcher-kva.example")]
    [InlineData("192.0.2.1", "")]
    public async Task Hellos_of_the_system_are_understood(string asked, string name)
    {
        byte[] hello = await TlsHello.CaptureAsync(asked);
        for (int length = 0; length < hello.Length; length++) Assert.Equal(HeaderStatus.Incomplete, ClientHelloCodec.Read(hello.AsSpan(0, length), out _));
        foreach (byte[] whole in new[] { hello, [.. hello, 20, 3, 3, 0, 1, 1], TlsHello.Fragmented(hello, 1), TlsHello.Fragmented(hello, 3), TlsHello.Fragmented(hello, 200) })
        {
            Assert.Equal(HeaderStatus.Complete, ClientHelloCodec.Read(whole, out string found));
            Assert.Equal(name, found);
        }
    }

    [Theory]
    [InlineData("a.example.", HeaderStatus.Complete, "a.example")]
    [InlineData("", HeaderStatus.Invalid, "")]
    [InlineData(".", HeaderStatus.Invalid, "")]
    [InlineData("a b", HeaderStatus.Invalid, "")]
    [InlineData("a\0b", HeaderStatus.Invalid, "")]
    [InlineData("b\u00fccher", HeaderStatus.Invalid, "")]
    internal void Names_are_names(string asked, HeaderStatus status, string name)
    {
        Assert.Equal(status, ClientHelloCodec.Read(Hello(Extension(0, Vector(2, [0, .. Vector(2, Encoding.Latin1.GetBytes(asked))]))), out string found));
        Assert.Equal(name, found);
    }

    [Fact]
    public void The_name_is_found_between_other_extensions_and_other_kinds_of_names()
    {
        byte[] names = Extension(0, Vector(2, [7, .. Vector(2, [1, 2, 3]), 0, .. Vector(2, "a"u8.ToArray())]));
        Assert.Equal(HeaderStatus.Complete, ClientHelloCodec.Read(Hello([.. Extension(43, new byte[300]), .. names, .. Extension(21, [])]), out string found));
        Assert.Equal("a", found);
    }

    [Fact]
    public void A_hello_without_extensions_names_nobody()
    {
        Assert.Equal(HeaderStatus.Complete, ClientHelloCodec.Read(Hello(null), out string found));
        Assert.Equal("", found);
        Assert.Equal(HeaderStatus.Complete, ClientHelloCodec.Read(Hello([]), out _));
    }

    [Theory]
    [InlineData("474554202f20485454502f312e310d0a", "HTTP")]
    [InlineData("1602", "SSL 2")]
    [InlineData("1603010000", "an empty record")]
    [InlineData("16030140010100", "a record that is too long")]
    [InlineData("160301000402000000", "another message")]
    [InlineData("160301000401007ffd", "a message that is too long")]
    [InlineData("15030100020228", "an alert")]
    [InlineData("1603010004010000001703010001", "a message without content")]
    public void What_is_no_hello_is_told_apart_at_once(string hex, string what) =>
        Assert.True(ClientHelloCodec.Read(Convert.FromHexString(hex), out _) == HeaderStatus.Invalid, what);

    [Fact]
    public void A_hello_without_end_is_given_up()
    {
        byte[] endless = TlsHello.Fragmented([0, 0, 0, 0, 0, 1, 0, 0x70, 0, .. new byte[20_000]], 1);
        Assert.Equal(HeaderStatus.Incomplete, ClientHelloCodec.Read(endless.AsSpan(0, 30_000), out _));
        Assert.Equal(HeaderStatus.Invalid, ClientHelloCodec.Read(endless.AsSpan(0, ClientHelloCodec.MaxLength), out _));
    }

    [Fact]
    public void Spoilt_hellos_are_survived()
    {
        byte[][] good = [Convert.FromHexString(Published), TlsHello.Fragmented(Convert.FromHexString(Published), 20), Hello(Extension(0, Vector(2, [0, .. Vector(2, "a"u8.ToArray())])))];
        var random = new Random(5);
        var seen = new int[3];
        for (int round = 0; round < 200_000; round++)
        {
            byte[] bytes = [.. good[random.Next(good.Length)]];
            for (int i = random.Next(1, 6); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            HeaderStatus status = ClientHelloCodec.Read(bytes.AsSpan(0, random.Next(3) == 0 ? random.Next(bytes.Length) : bytes.Length), out string name);
            Assert.True(name.All(c => c is > ' ' and <= '~') && name.Length <= 255, name);
            Assert.True(status == HeaderStatus.Complete || name.Length == 0, "a name out of nothing");
            seen[(int)status]++;
        }
        Assert.All(seen, count => Assert.InRange(count, 1000, 200_000));
    }

    private static byte[] Hello(byte[]? extensions)
    {
        byte[] body = [3, 3, .. new byte[32], .. Vector(1, new byte[32]), .. Vector(2, [0x13, 1]), .. Vector(1, [0]), .. extensions is null ? [] : Vector(2, extensions)];
        byte[] message = [1, 0, .. Vector(2, body)];
        return [22, 3, 1, .. Vector(2, message)];
    }

    private static byte[] Extension(int kind, byte[] content) => [(byte)(kind >> 8), (byte)kind, .. Vector(2, content)];

    private static byte[] Vector(int lengthBytes, byte[] content) =>
        lengthBytes == 1 ? [(byte)content.Length, .. content] : [(byte)(content.Length >> 8), (byte)content.Length, .. content];
}

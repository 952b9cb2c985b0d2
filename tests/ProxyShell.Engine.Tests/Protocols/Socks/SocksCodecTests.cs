using System.Net;
using System.Text;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Socks;

namespace ProxyShell.Engine.Tests.Protocols.Socks;

/// <summary>The bytes of SOCKS as RFC 1928, RFC 1929 and the notes on versions 4 and 4a give them.</summary>
public class SocksCodecTests
{
    public static TheoryData<string, string> Requests => new()
    {
        { "05 01 00 01 C0 00 02 01 00 50", "5 Connect 192.0.2.1:80" },
        { "05 02 00 01 00 00 00 00 00 00", "5 Bind 0.0.0.0:0" },
        { "05 03 00 04 20 01 0D B8 00 00 00 00 00 00 00 00 00 00 00 01 01 BB", "5 Associate [2001:db8::1]:443" },
        { "05 01 00 03 0B 65 78 61 6D 70 6C 65 2E 63 6F 6D 1F 90", "5 Connect example.com:8080" },
        { "05 01 00 03 09 31 32 37 2E 30 2E 30 2E 31 00 50", "5 Connect 127.0.0.1:80" },
        { "04 01 00 50 C0 00 02 01 00", "4 Connect 192.0.2.1:80" },
        { "04 02 00 50 C0 00 02 01 66 72 65 64 00", "4 Bind 192.0.2.1:80" },
        { "04 01 1F 90 00 00 00 01 00 65 78 61 6D 70 6C 65 2E 63 6F 6D 00", "4 Connect example.com:8080" },
        { "04 01 1F 90 00 00 00 FF 66 72 65 64 00 61 00", "4 Connect a:8080" },
        { "04 01 00 50 00 00 00 00 00", "4 Connect 0.0.0.0:80" },
    };

    [Theory]
    [MemberData(nameof(Requests))]
    public void Requests_are_read(string hex, string meaning)
    {
        SocksRequestReading reading = Read(Bytes(hex));
        Assert.Equal((SocksReplyCode.Succeeded, ""), (reading.Refusal, reading.Fault));
        Assert.Equal(meaning, $"{reading.Request.Version} {reading.Request.Command} {reading.Request.Address}");
    }

    [Theory]
    [InlineData("05 00 00 01 C0 00 02 01 00 50", 7, "command 0 is not known")]
    [InlineData("05 04 00 01 C0 00 02 01 00 50", 7, "command 4 is not known")]
    [InlineData("05 09 00 09", 7, "command 9 is not known")]
    [InlineData("05 01 00 00", 8, "address type 0 is not known")]
    [InlineData("05 01 00 05", 8, "address type 5 is not known")]
    [InlineData("05 01 00 03 00 00 50", 1, "The host is empty: write host:port, for example 127.0.0.1:8080.")]
    [InlineData("05 01 00 03 02 61 0A 00 50", 1, "'a?' is not a host name: it holds a character that no name may have.")]
    [InlineData("05 01 00 03 01 FF 00 50", 1, "the name is not UTF-8")]
    [InlineData("04 03 00 50 C0 00 02 01 00", 7, "command 3 is not known")]
    [InlineData("04 01 00 50 00 00 00 01 00 00", 1, "The host is empty: write host:port, for example 127.0.0.1:8080.")]
    public void Requests_that_cannot_be_served_have_a_code_and_a_fault(string hex, byte code, string fault)
    {
        SocksRequestReading reading = Read(Bytes(hex));
        Assert.Equal(((SocksReplyCode)code, fault), (reading.Refusal, reading.Fault));
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public void Every_part_of_a_request_is_incomplete_and_nothing_behind_it_counts(string hex, string meaning)
    {
        byte[] bytes = Bytes(hex);
        for (int length = 0; length < bytes.Length; length++) Assert.Equal(HeaderStatus.Incomplete, Measure(bytes.AsSpan(0, length), bytes[0], out _, out _));
        Assert.Equal(HeaderStatus.Complete, Measure([.. bytes, .. RandomBytes.Of(40)], bytes[0], out int total, out _));
        Assert.Equal((bytes.Length, true), (total, meaning.Length > 0));
    }

    [Theory]
    [InlineData("04 01 00 50", "request begins with version 4, not 5")]
    [InlineData("00", "request begins with version 0, not 5")]
    public void A_request_of_another_version_is_none(string hex, string fault)
    {
        Assert.Equal(HeaderStatus.Invalid, Socks5RequestCodec.Measure(Bytes(hex), out _, out string said));
        Assert.Equal("the " + fault, said);
    }

    [Theory]
    [InlineData(256, 3, "the user id is longer than 255 bytes")]
    [InlineData(3, 256, "the name is longer than 255 bytes")]
    public void Texts_of_version_4_have_an_end(int userLength, int nameLength, string fault)
    {
        byte[] bytes = [4, 1, 0, 80, 0, 0, 0, 1, .. Enumerable.Repeat((byte)'u', userLength), 0, .. Enumerable.Repeat((byte)'n', nameLength)];
        Assert.Equal(HeaderStatus.Invalid, Socks4RequestCodec.Measure(bytes, out _, out string said));
        Assert.Equal(fault, said);
        Assert.Equal(HeaderStatus.Invalid, Socks4RequestCodec.Measure([.. bytes, 0, 0], out _, out _));
    }

    [Fact]
    public void Texts_of_version_4_may_have_255_bytes()
    {
        byte[] bytes = [4, 1, 0, 80, 0, 0, 0, 1, .. Enumerable.Repeat((byte)'u', 255), 0, .. Enumerable.Repeat((byte)'n', 253), 0];
        Assert.Equal(HeaderStatus.Complete, Socks4RequestCodec.Measure(bytes, out int length, out _));
        Assert.Equal((bytes.Length, new string('n', 253)), (length, Socks4RequestCodec.Read(bytes).Request.Address.Host));
    }

    [Fact]
    public void Greetings_are_read_and_written()
    {
        Span<byte> buffer = stackalloc byte[10];
        int length = Socks5GreetingCodec.Write(buffer, SocksMethod.None, SocksMethod.UserPassword);
        Assert.Equal("05 02 00 02", Hex(buffer[..length]));
        Assert.Equal(HeaderStatus.Incomplete, Socks5GreetingCodec.Measure(buffer[..1], out _));
        Assert.Equal(HeaderStatus.Incomplete, Socks5GreetingCodec.Measure(buffer[..3], out _));
        Assert.Equal((HeaderStatus.Complete, 4), (Socks5GreetingCodec.Measure(buffer, out int measured), measured));
        Assert.True(Socks5GreetingCodec.Offers(buffer[..4], SocksMethod.UserPassword));
        Assert.False(Socks5GreetingCodec.Offers(Bytes("05 01 00"), SocksMethod.UserPassword));
        // the count of methods is no method
        Assert.False(Socks5GreetingCodec.Offers(Bytes("05 02 01 03"), SocksMethod.UserPassword));
        Assert.Equal((HeaderStatus.Complete, 2), (Socks5GreetingCodec.Measure(Bytes("05 00"), out measured), measured));
    }

    [Fact]
    public void Choices_are_read_and_written()
    {
        Assert.Equal(("05 00", "05 02", "05 FF"), (Hex(Socks5GreetingCodec.NoneChosen.Span), Hex(Socks5GreetingCodec.UserPasswordChosen.Span), Hex(Socks5GreetingCodec.NothingAcceptable.Span)));
        Assert.Equal(SocksMethod.UserPassword, Socks5GreetingCodec.ReadChoice(Bytes("05 02")));
        Assert.Null(Socks5GreetingCodec.ReadChoice(Bytes("48 54")));
    }

    [Theory]
    [InlineData("ann", "secret", "01 03 61 6E 6E 06 73 65 63 72 65 74")]
    [InlineData("ü", "", "01 02 C3 BC 00")]
    public void Credentials_are_read_and_written(string userName, string password, string hex)
    {
        var buffer = new byte[Socks5CredentialCodec.MaxLength];
        int length = Socks5CredentialCodec.Write(buffer, userName, password);
        Assert.Equal(hex, Hex(buffer.AsSpan(0, length)));
        for (int part = 0; part < length; part++) Assert.Equal(HeaderStatus.Incomplete, Socks5CredentialCodec.Measure(buffer.AsSpan(0, part), out _, out _));
        Assert.Equal(HeaderStatus.Complete, Socks5CredentialCodec.Measure(buffer, out int total, out _));
        Assert.True(Socks5CredentialCodec.TryRead(buffer.AsSpan(0, total), out string readName, out string readPassword));
        Assert.Equal((length, userName, password), (total, readName, readPassword));
    }

    [Fact]
    public void Credentials_that_are_no_text_match_nobody()
    {
        Assert.False(Socks5CredentialCodec.TryRead(Bytes("01 01 FF 01 61"), out _, out _));
        Assert.Equal(HeaderStatus.Invalid, Socks5CredentialCodec.Measure(Bytes("05 01 61 01 61"), out _, out string fault));
        Assert.Equal("the user name and password begin with version 5, not 1", fault);
        Assert.True(Socks5CredentialCodec.IsAcceptance(Bytes("01 00")));
        Assert.False(Socks5CredentialCodec.IsAcceptance(Bytes("01 FF")));
    }

    [Theory]
    [InlineData(0, "127.0.0.1:1080", "05 00 00 01 7F 00 00 01 04 38")]
    [InlineData(0, "[::1]:1080", "05 00 00 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 04 38")]
    [InlineData(0, "[::ffff:127.0.0.1]:1080", "05 00 00 01 7F 00 00 01 04 38")]
    [InlineData(5, null, "05 05 00 01 00 00 00 00 00 00")]
    public void Replies_are_written(byte number, string? bound, string hex)
    {
        var buffer = new byte[Socks5ReplyCodec.MaxLength];
        var code = (SocksReplyCode)number;
        int length = Socks5ReplyCodec.Write(buffer, code, bound is null ? null : IPEndPoint.Parse(bound));
        Assert.Equal(hex, Hex(buffer.AsSpan(0, length)));
        Assert.Equal(code, Socks5ReplyCodec.CodeOf(buffer));
        Assert.Equal(HeaderStatus.Complete, Socks5ReplyCodec.Measure(buffer.AsSpan(0, length), out int total, out _));
        Assert.Equal(code == SocksReplyCode.Succeeded ? length : 2, total);
    }

    [Fact]
    public void A_refusal_needs_no_address()
    {
        Assert.Equal((HeaderStatus.Complete, 2), (Socks5ReplyCodec.Measure(Bytes("05 02"), out int length, out _), length));
        Assert.Equal(HeaderStatus.Incomplete, Socks5ReplyCodec.Measure(Bytes("05 00"), out _, out _));
        Assert.Equal(HeaderStatus.Invalid, Socks5ReplyCodec.Measure(Bytes("05 00 00 07"), out _, out string fault));
        Assert.Equal("its reply has the unknown address type 7", fault);
        Assert.Equal(HeaderStatus.Invalid, Socks5ReplyCodec.Measure(Bytes("48 54"), out _, out fault));
        Assert.Equal("its reply begins with version 72, not 5", fault);
    }

    [Fact]
    public void Success_may_tell_a_name()
    {
        byte[] reply = Bytes("05 00 00 03 01 61 00 50");
        Assert.Equal(HeaderStatus.Complete, Socks5ReplyCodec.Measure(reply, out int length, out _));
        Assert.Equal((reply.Length, new HostEndpoint("a", 80)), (length, Socks5ReplyCodec.ReadBound(reply)));
    }

    [Theory]
    [InlineData("192.0.2.1:80", "00 5A 00 50 C0 00 02 01")]
    [InlineData("[2001:db8::1]:80", "00 5A 00 50 00 00 00 00")]
    [InlineData(null, "00 5A 00 00 00 00 00 00")]
    public void Replies_of_version_4_are_written(string? bound, string hex)
    {
        var reply = new byte[Socks4ReplyCodec.Length];
        Socks4ReplyCodec.Write(reply, Socks4ReplyCodec.Granted, bound is null ? null : IPEndPoint.Parse(bound));
        Assert.Equal(hex, Hex(reply));
        Assert.True(Socks4ReplyCodec.TryRead(reply, out byte code, out _));
        Assert.Equal(Socks4ReplyCodec.Granted, code);
        Assert.False(Socks4ReplyCodec.TryRead(Bytes("04 5A 00 00 00 00 00 00"), out _, out _));
    }

    [Theory]
    [InlineData("00 00 00 01 C0 00 02 01 00 35 61 62", "192.0.2.1:53", 10)]
    [InlineData("00 00 00 03 01 61 00 35", "a:53", 8)]
    [InlineData("00 00 00 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 00 35 00", "[::1]:53", 22)]
    public void Headers_of_datagrams_are_read_and_written(string hex, string address, int payloadStart)
    {
        byte[] datagram = Bytes(hex);
        Assert.True(SocksDatagramCodec.TryMeasure(datagram, out int length, out _));
        HostEndpoint? read = SocksDatagramCodec.ReadAddress(datagram.AsSpan(0, length), out _);
        Assert.Equal((payloadStart, address), (length, read?.ToString()));
        var buffer = new byte[SocksDatagramCodec.MaxHeaderLength];
        Assert.Equal(Hex(datagram.AsSpan(0, length)), Hex(buffer.AsSpan(0, SocksDatagramCodec.Write(buffer, read!))));
        if (read!.Address is { } ip) Assert.Equal(length, SocksDatagramCodec.Write(buffer, new IPEndPoint(ip, read.Port)));
        for (int part = 0; part < length; part++) Assert.False(SocksDatagramCodec.TryMeasure(datagram.AsSpan(0, part), out _, out _));
    }

    [Theory]
    [InlineData("00 00 01 01 C0 00 02 01 00 35", "fragments are not supported")]
    [InlineData("00 00 80 01 C0 00 02 01 00 35", "fragments are not supported")]
    [InlineData("00 00 00 02 C0 00 02 01 00 35", "address type 2 is not known")]
    [InlineData("00 00 00 01 C0 00 02 01 00", "the header is cut short")]
    [InlineData("", "the header is cut short")]
    public void Datagrams_that_are_dropped_have_a_fault(string hex, string fault)
    {
        Assert.False(SocksDatagramCodec.TryMeasure(Bytes(hex), out _, out string said));
        Assert.Equal(fault, said);
    }

    private static SocksRequestReading Read(byte[] bytes)
    {
        Assert.Equal(HeaderStatus.Complete, Measure(bytes, bytes[0], out int length, out _));
        Assert.Equal(bytes.Length, length);
        return bytes[0] == SocksVersion.Five ? Socks5RequestCodec.Read(bytes) : Socks4RequestCodec.Read(bytes);
    }

    private static HeaderStatus Measure(ReadOnlySpan<byte> bytes, byte version, out int length, out string fault) => version == SocksVersion.Five
        ? Socks5RequestCodec.Measure(bytes, out length, out fault)
        : Socks4RequestCodec.Measure(bytes, out length, out fault);

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    private static string Hex(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        foreach (byte b in bytes) text.Append(text.Length > 0 ? " " : "").Append(b.ToString("X2", null));
        return text.ToString();
    }
}

using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Protocols;

public class RelayCodecTests
{
    private static readonly ProxyKey Key = ProxyKey.FromBytes(Enumerable.Range(0, 32).Select(i => (byte)i).ToArray());

    public static TheoryData<string> Vectors => new(LoadVectors().Select(v => v.GetProperty("name").GetString()!));

    [Theory]
    [MemberData(nameof(Vectors))]
    public void The_published_vectors_hold(string name)
    {
        JsonElement vector = LoadVectors().Single(v => v.GetProperty("name").GetString() == name);
        Assert.Equal(vector.GetProperty("bytes").GetString(), Convert.ToHexStringLower(Written(name)));
    }

    /// <summary>The headers of docs/protocols/relay.md: key 00..1f, nonce 1, salt 0f 0e .. 00, 2026-01-01T00:00:00Z.</summary>
    internal static byte[] Written(string name)
    {
        var buffer = new byte[1024];
        var connect = new RelayRequest
        {
            Command = RelayCommand.Connect,
            Nonce = UInt128.One,
            Timestamp = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero),
            Next = TransportAddress.Tcp(new HostEndpoint("192.0.2.7", 443)),
        };
        var salt = new UInt128(0x0f0e0d0c0b0a0908, 0x0706050403020100);
        var ok = new RelayResponse { Nonce = UInt128.One, Salt = UInt128.Zero, Reason = ProxyErrorReason.None, ConnectTime = TimeSpan.FromMicroseconds(1500) };
        var refused = ok with { Reason = ProxyErrorReason.ConnectionRefused, Stage = ProxyStage.Dial, ConnectTime = TimeSpan.Zero, Message = "connection refused" };
        int length = name switch
        {
            "request, clear, IPv4" => RelayRequestCodec.Write(buffer, connect, null),
            "request, clear, name over TLS with thumbprint" => RelayRequestCodec.Write(
                buffer,
                connect with { Next = TransportAddress.Tls(new HostEndpoint("example.com", 8443)), Trust = TlsTrust.Pinned(new string('a', 64)), ServerName = "proxy.example" },
                null),
            "request, clear, IPv4 by a session" => RelayRequestCodec.Write(buffer, connect with { Next = connect.Next.Multiplexed() }, null),
            "request, clear, name by a session over TLS" => RelayRequestCodec.Write(buffer, connect with { Next = TransportAddress.Tls(new HostEndpoint("example.com", 8443)).Multiplexed() }, null),
            "request, clear, session" => RelayRequestCodec.Write(buffer, connect with { Command = RelayCommand.Session, Next = null }, null),
            "request, clear, Unix socket" => RelayRequestCodec.Write(buffer, connect with { Next = TransportAddress.Unix("/run/p.sock") }, null),
            "request, clear, probe" => RelayRequestCodec.Write(buffer, connect with { Command = RelayCommand.Probe, Next = null }, null),
            "request, clear, datagram" => RelayRequestCodec.Write(
                buffer, connect with { Command = RelayCommand.Datagram, Next = TransportAddress.Udp(new HostEndpoint("192.0.2.7", 53)) }, null),
            "request, clear, datagrams in a stream" => RelayRequestCodec.Write(
                buffer, connect with { Command = RelayCommand.DatagramStream, Next = TransportAddress.Udp(new HostEndpoint("dns.example", 53)) }, null),
            "request, sealed, datagram with payload key" => RelayRequestCodec.Write(
                buffer, connect with { Command = RelayCommand.Datagram, Next = TransportAddress.Udp(new HostEndpoint("2001:db8::1", 53)), PayloadKeyId = Key.Id }, Key),
            "datagram from client, sealed, number 0" => DatagramCipher.FromClient(Key, connect.Nonce, connect.Timestamp).Seal("hello"u8, buffer),
            "datagram from hop, sealed, number 0" => DatagramCipher.FromHop(Key, connect.Nonce, connect.Timestamp, salt).Seal("hello"u8, buffer),
            "request, sealed, IPv6" => RelayRequestCodec.Write(buffer, connect with { Next = TransportAddress.Tcp(new HostEndpoint("2001:db8::1", 80)) }, Key),
            "response, clear, ok" => RelayResponseCodec.Write(buffer, ok, null),
            "response, clear, ok over a session that was there" => RelayResponseCodec.Write(buffer, ok with { Link = RelayLink.KeptSession }, null),
            "response, clear, refused" => RelayResponseCodec.Write(buffer, refused, null),
            "response, sealed, ok" => RelayResponseCodec.Write(buffer, ok with { Salt = salt }, Key),
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no such vector"),
        };
        return buffer[..length];
    }

    [Fact]
    public void Requests_come_back_as_written()
    {
        Prop.ForAll(Arb.From(Requests), request =>
        {
            foreach (ProxyKey? key in new[] { null, Key })
            {
                var buffer = new byte[1024];
                int length = RelayRequestCodec.Write(buffer, request, key);
                Assert.Equal(HeaderStatus.Complete, RelayRequestCodec.Measure(buffer.AsSpan(0, length), out int total, out _));
                Assert.Equal(length, total);
                RelayRequestReading reading = RelayRequestCodec.Read(buffer.AsSpan(0, length), key is null ? [] : [key]);
                Assert.Equal("", reading.Message);
                Assert.Equal(request with { Trust = TlsTrust.System }, reading.Request! with { Trust = TlsTrust.System });
                Assert.Equal(request.Trust.Thumbprint, reading.Request!.Trust.Thumbprint);
            }
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData((byte)0, (byte)0, 0)]
    [InlineData((byte)1, (byte)1, 1)]
    [InlineData((byte)2, (byte)2, 1)]
    [InlineData((byte)3, (byte)3, 1)]
    [InlineData((byte)4, (byte)0, 1)]
    [InlineData((byte)255, (byte)0, 1)]
    public void What_reaches_the_next_address_comes_back_and_what_is_not_known_is_not_told(byte written, byte read, int bytes)
    {
        foreach (ProxyKey? key in new[] { null, Key })
        {
            var response = new RelayResponse { Nonce = 1, Salt = 2, Reason = ProxyErrorReason.None, Message = "x", Link = (RelayLink)written };
            var buffer = new byte[1024];
            int length = RelayResponseCodec.Write(buffer, response, key);
            Assert.Equal(RelayResponseCodec.Write(new byte[1024], response with { Link = RelayLink.NotTold }, key) + bytes, length);
            Assert.Equal(response with { Link = (RelayLink)read }, RelayResponseCodec.Read(buffer.AsSpan(0, length), 1, key, out string fault));
            Assert.Equal("", fault);
        }
    }

    [Fact]
    public void What_later_versions_put_behind_the_link_is_ignored()
    {
        byte[] header = [.. Written("response, clear, ok over a session that was there"), 9, 9, 9];
        header[5] += 3;
        Assert.Equal(HeaderStatus.Complete, RelayResponseCodec.Measure(header, out int total, out _));
        Assert.Equal(header.Length, total);
        Assert.Equal(RelayLink.KeptSession, RelayResponseCodec.Read(header, UInt128.One, null, out _)!.Link);
    }

    [Theory]
    [InlineData((byte)4, (byte)1, false)]
    [InlineData((byte)5, (byte)1, true)]
    [InlineData((byte)6, (byte)1, true)]
    [InlineData((byte)7, (byte)1, false)]
    [InlineData((byte)8, (byte)1, false)]
    [InlineData((byte)5, (byte)5, false)]
    [InlineData((byte)7, (byte)5, true)]
    [InlineData((byte)5, (byte)0, false)]
    public void Sessions_are_asked_for_by_transports_5_to_7_each_with_its_kind_of_address(byte transport, byte kind, bool isGood)
    {
        byte[] address = kind switch { 1 => [192, 0, 2, 7, 1, 0xbb], 5 => [2, (byte)'/', (byte)'p'], _ => [] };
        byte[] body = [transport, kind, .. address];
        var reader = new SpanReader(body);
        TransportAddress? read = RelayAddressCodec.Read(ref reader, out string fault);
        Assert.Equal((isGood, isGood), (read is { IsMultiplexed: true }, fault.Length == 0));
        if (isGood) Assert.Equal(kind == 5 ? "unix:/p" : "192.0.2.7:443", read!.ToString());
    }

    [Fact]
    public void Every_part_of_a_header_is_incomplete()
    {
        byte[] header = Written("request, sealed, IPv6");
        for (int length = 0; length < header.Length; length++)
            Assert.Equal(HeaderStatus.Incomplete, RelayRequestCodec.Measure(header.AsSpan(0, length), out _, out _));
    }

    [Fact]
    public void Any_changed_bit_of_a_sealed_header_is_noticed()
    {
        byte[] header = Written("request, sealed, IPv6");
        for (int bit = 0; bit < header.Length * 8; bit++)
        {
            byte[] changed = [.. header];
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            bool whole = RelayRequestCodec.Measure(changed, out int total, out _) == HeaderStatus.Complete;
            if (whole) Assert.Null(RelayRequestCodec.Read(changed.AsSpan(0, total), [Key]).Request);
        }
    }

    [Fact]
    public void A_sealed_success_cannot_be_forged_in_the_clear()
    {
        byte[] clear = Written("response, clear, ok");
        Assert.Null(RelayResponseCodec.Read(clear, UInt128.One, Key, out string fault));
        Assert.Equal("its answer should be sealed and is not", fault);
        Assert.NotNull(RelayResponseCodec.Read(Written("response, clear, refused"), UInt128.One, Key, out _));
    }

    [Fact]
    public void An_answer_to_another_request_is_refused()
    {
        Assert.Null(RelayResponseCodec.Read(Written("response, clear, ok"), 2, null, out string fault));
        Assert.Equal("its answer belongs to another request", fault);
    }

    [Fact]
    public void Control_characters_in_messages_do_not_reach_the_terminal()
    {
        var buffer = new byte[512];
        var response = new RelayResponse { Nonce = 1, Salt = 0, Reason = ProxyErrorReason.Other, Message = "a\u001b[2Jb" };
        int length = RelayResponseCodec.Write(buffer, response, null);
        Assert.Equal("a?[2Jb", RelayResponseCodec.Read(buffer.AsSpan(0, length), 1, null, out _)!.Message);
    }

    [Fact]
    public void Long_messages_are_cut_between_characters()
    {
        var buffer = new byte[512];
        int length = RelayResponseCodec.Write(buffer, new RelayResponse { Nonce = 1, Salt = 0, Reason = ProxyErrorReason.Other, Message = new string('é', 200) }, null);
        Assert.Equal(new string('é', 127), RelayResponseCodec.Read(buffer.AsSpan(0, length), 1, null, out _)!.Message);
    }

    [Fact]
    public void Arbitrary_bytes_are_never_more_than_refused()
    {
        var random = new Random(7);
        byte[][] seeds = [Written("request, clear, name over TLS with thumbprint"), Written("request, clear, Unix socket"), Written("request, clear, probe"), Written("response, clear, refused"),
            Written("request, clear, name by a session over TLS"), Written("request, clear, session"), Written("response, clear, ok over a session that was there")];
        for (int round = 0; round < 200_000; round++)
        {
            byte[] bytes = [.. seeds[round % seeds.Length]];
            int changes = random.Next(1, 6);
            for (int i = 0; i < changes; i++) bytes[random.Next(2, bytes.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0) Array.Resize(ref bytes, random.Next(bytes.Length + 1));
            if (RelayRequestCodec.Measure(bytes, out int total, out _) == HeaderStatus.Complete) RelayRequestCodec.Read(bytes.AsSpan(0, total), round % 2 == 0 ? [] : [Key]);
            if (RelayResponseCodec.Measure(bytes, out total, out _) == HeaderStatus.Complete) RelayResponseCodec.Read(bytes.AsSpan(0, total), 1, Key, out _);
        }
    }

    private static Gen<RelayRequest> Requests =>
        from seconds in Gen.Choose(0, int.MaxValue)
        from low in Gen.Choose(0, int.MaxValue)
        from port in Gen.Choose(1, 65535)
        from address in Gen.Elements("192.0.2.1", "2001:db8::5", "example.com", "xn--bcher-kva.example", new string('a', 253))
        from kind in Gen.Choose(0, 9)
        from pinned in Gen.Elements(true, false)
        from name in Gen.Elements<string?>(null, "proxy.example")
        select new RelayRequest
        {
            Command = kind switch { 3 => RelayCommand.Probe, 4 => RelayCommand.Datagram, 5 => RelayCommand.DatagramStream, 9 => RelayCommand.Session, _ => RelayCommand.Connect },
            Nonce = new UInt128((ulong)low, (ulong)seconds),
            Timestamp = DateTimeOffset.FromUnixTimeSeconds(seconds),
            Next = kind switch
            {
                0 => TransportAddress.Tcp(new HostEndpoint(address, port)),
                1 => TransportAddress.Tls(new HostEndpoint(address, port)),
                2 => TransportAddress.Unix("/run/" + port),
                6 => TransportAddress.Tcp(new HostEndpoint(address, port)).Multiplexed(),
                7 => TransportAddress.Tls(new HostEndpoint(address, port)).Multiplexed(),
                8 => TransportAddress.Unix("/run/" + port).Multiplexed(),
                4 or 5 => TransportAddress.Udp(new HostEndpoint(address, port)),
                _ => null,
            },
            Trust = pinned ? TlsTrust.Pinned(new string('b', 64)) : TlsTrust.System,
            ServerName = name,
        };

    private static List<JsonElement> LoadVectors()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "relay-vectors.json");
        return [.. JsonDocument.Parse(File.ReadAllText(path)).RootElement.EnumerateArray()];
    }
}

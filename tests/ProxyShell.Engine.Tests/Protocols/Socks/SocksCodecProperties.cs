using System.Net;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Socks;

namespace ProxyShell.Engine.Tests.Protocols.Socks;

/// <summary>What holds for all requests, and for all bytes.</summary>
public class SocksCodecProperties
{
    private const int Rounds = 200_000;

    [Fact]
    public void Requests_come_back_as_written()
    {
        var random = new Random(5);
        var buffer = new byte[Math.Max(Socks5RequestCodec.MaxLength, Socks4RequestCodec.MaxLength)];
        for (int round = 0; round < 5000; round++)
        {
            HostEndpoint address = Address(random);
            var command = (SocksCommand)random.Next(1, 4);
            int length = Socks5RequestCodec.Write(buffer, command, address);
            Assert.Equal(HeaderStatus.Complete, Socks5RequestCodec.Measure(buffer.AsSpan(0, length), out int total, out _));
            Assert.Equal(length, total);
            Assert.Equal(new SocksRequest(5, command, address), Socks5RequestCodec.Read(buffer.AsSpan(0, length)).Request);
        }
    }

    [Fact]
    public void Requests_of_version_4_come_back_as_written()
    {
        var random = new Random(4);
        var buffer = new byte[Socks4RequestCodec.MaxLength];
        for (int round = 0; round < 5000; round++)
        {
            HostEndpoint address = Address(random);
            if (address.Address is { } ip && ip.Equals(IPAddress.Any)) continue;
            var command = (SocksCommand)random.Next(1, 3);
            int length = Socks4RequestCodec.Write(buffer, command, address, Name(random, 255));
            Assert.Equal(HeaderStatus.Complete, Socks4RequestCodec.Measure(buffer.AsSpan(0, length), out int total, out _));
            Assert.Equal(length, total);
            Assert.Equal(new SocksRequest(4, command, address), Socks4RequestCodec.Read(buffer.AsSpan(0, length)).Request);
        }
    }

    [Fact]
    public void Arbitrary_bytes_are_never_more_than_refused()
    {
        var random = new Random(9);
        byte[][] seeds = [Version5(random), Version5(random), Version4(random), [1, 3, 65, 66, 67, 2, 68, 69], [5, 2, 0, 2], [5, 0, 0, 1, 1, 2, 3, 4, 5, 6], [0, 0, 0, 3, 1, 65, 0, 53]];
        for (int round = 0; round < Rounds; round++)
        {
            byte[] bytes = [.. seeds[round % seeds.Length]];
            for (int changes = random.Next(0, 5); changes > 0; changes--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (random.Next(3) == 0) Array.Resize(ref bytes, random.Next(bytes.Length + 1));
            if (round % 50 == 0) random.NextBytes(bytes);
            ReadAll(bytes);
        }
    }

    private static void ReadAll(byte[] bytes)
    {
        if (Socks5RequestCodec.Measure(bytes, out int length, out string fault) == HeaderStatus.Complete) AssertSound(Socks5RequestCodec.Read(bytes.AsSpan(0, length)));
        AssertPlain(fault);
        if (bytes is [4, ..] && Socks4RequestCodec.Measure(bytes, out length, out fault) == HeaderStatus.Complete) AssertSound(Socks4RequestCodec.Read(bytes.AsSpan(0, length)));
        AssertPlain(fault);
        if (Socks5GreetingCodec.Measure(bytes, out length) == HeaderStatus.Complete) Socks5GreetingCodec.Offers(bytes.AsSpan(0, length), SocksMethod.UserPassword);
        if (Socks5CredentialCodec.Measure(bytes, out length, out fault) == HeaderStatus.Complete) Socks5CredentialCodec.TryRead(bytes.AsSpan(0, length), out _, out _);
        AssertPlain(fault);
        if (Socks5ReplyCodec.Measure(bytes, out length, out fault) == HeaderStatus.Complete && Socks5ReplyCodec.CodeOf(bytes) == SocksReplyCode.Succeeded) Socks5ReplyCodec.ReadBound(bytes.AsSpan(0, length));
        AssertPlain(fault);
        if (SocksDatagramCodec.TryMeasure(bytes, out length, out fault)) SocksDatagramCodec.ReadAddress(bytes.AsSpan(0, length), out fault);
        AssertPlain(fault);
    }

    private static void AssertSound(SocksRequestReading reading)
    {
        AssertPlain(reading.Fault);
        Assert.Equal(reading.Refusal == SocksReplyCode.Succeeded, reading.Request.Address is not null);
        Assert.Equal(reading.Refusal == SocksReplyCode.Succeeded, reading.Fault.Length == 0);
    }

    // what is said goes into logs
    private static void AssertPlain(string text)
    {
        Assert.InRange(text.Length, 0, 350);
        Assert.DoesNotContain(text, char.IsControl);
    }

    private static byte[] Version5(Random random)
    {
        var buffer = new byte[Socks5RequestCodec.MaxLength];
        return buffer[..Socks5RequestCodec.Write(buffer, SocksCommand.Connect, Address(random))];
    }

    private static byte[] Version4(Random random)
    {
        var buffer = new byte[Socks4RequestCodec.MaxLength];
        return buffer[..Socks4RequestCodec.Write(buffer, SocksCommand.Connect, new HostEndpoint("example.test", 80), Name(random, 20))];
    }

    private static HostEndpoint Address(Random random)
    {
        int port = random.Next(65536);
        byte[] bytes = new byte[random.Next(2) == 0 ? 4 : 16];
        random.NextBytes(bytes);
        bytes[0] |= 1;
        return random.Next(2) == 0 ? HostEndpoint.From(new IPEndPoint(new IPAddress(bytes), port)) : new HostEndpoint(Name(random, 253), port);
    }

    private static string Name(Random random, int maxLength)
    {
        string letters = "abcdefghijklmnopqrstuvwxyz-_.0123456789";
        // a letter first, so that it is never a number, which could be an address
        return "x" + string.Concat(Enumerable.Range(0, random.Next(maxLength)).Select(_ => letters[random.Next(letters.Length)]));
    }
}

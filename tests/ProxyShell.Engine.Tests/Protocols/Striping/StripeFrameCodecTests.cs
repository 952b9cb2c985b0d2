using System.Net;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Striping;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Protocols.Striping;

/// <summary>The frames of stripes, byte for byte (docs/protocols/striping.md, "Test vectors").</summary>
public class StripeFrameCodecTests
{
    [Theory]
    [InlineData("Data", "01 01 AC02 05")]
    [InlineData("Open", "02 02 00 06 C0000201 1F90")]
    [InlineData("Open without address", "02 03 01 00")]
    [InlineData("End", "03 01 B102")]
    [InlineData("Reset", "04 01 01 02 6E6F")]
    [InlineData("Window", "05 01 808010")]
    [InlineData("Blocked", "06 01 808010")]
    [InlineData("Ack", "07 04 E807 FA01")]
    [InlineData("Ping", "08 05")]
    [InlineData("Pong", "09 05")]
    [InlineData("Goodbye", "0A 00 00")]
    [InlineData("Leave", "0B")]
    public void Frames_have_the_bytes_of_the_page(string name, string hex)
    {
        var output = new byte[StripeFrameCodec.MaxLength];
        byte[] expected = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(output, 0, StripeFrameCodec.Write(output, Frame(name))));
        Assert.Equal(HeaderStatus.Complete, StripeFrameCodec.Read(expected, out StripeFrame read, out int length));
        Assert.Equal(expected.Length, length);
        Assert.True(AreSame(Frame(name), read), name);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(HeaderStatus.Incomplete, StripeFrameCodec.Read(expected.AsSpan(0, i), out _, out _));
    }

    [Theory]
    [InlineData("00", "no kind")]
    [InlineData("0C", "no kind")]
    [InlineData("01 01 00 00", "no bytes")]
    [InlineData("01 01 00 E1FF03", "more bytes than a frame has")]
    [InlineData("01 8100 00 05", "a number longer than needed")]
    [InlineData("05 01 FFFFFFFFFFFFFFFFFF01", "a number of ten bytes")]
    [InlineData("02 02 00 13", "an address that is none")]
    [InlineData("04 01 01 8104", "more words than a frame has")]
    public void What_can_never_become_a_frame_is_invalid(string hex, string why)
    {
        HeaderStatus status = StripeFrameCodec.Read(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), out _, out _);
        Assert.True(status == HeaderStatus.Invalid, $"{why}: {status}");
    }

    [Fact]
    public void Any_bytes_are_a_frame_or_not_and_what_is_written_is_read_again() =>
        Prop.ForAll(Arb.From<byte[]>(ArbMap.Default.GeneratorFor<byte[]>()), bytes =>
        {
            if (StripeFrameCodec.Read(bytes, out StripeFrame frame, out int length) != HeaderStatus.Complete) return;
            Assert.InRange(length, 1, bytes.Length);
            var output = new byte[StripeFrameCodec.MaxLength];
            Assert.Equal(Convert.ToHexString(bytes, 0, length), Convert.ToHexString(output, 0, StripeFrameCodec.Write(output, frame)));
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(0)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(16_383)]
    [InlineData(16_384)]
    [InlineData(VarInt.Max)]
    public void Numbers_are_read_as_written(long value)
    {
        var bytes = new byte[VarInt.MaxLength];
        int length = VarInt.Write(bytes, value), position = 0;
        Assert.Equal(HeaderStatus.Complete, VarInt.Read(bytes.AsSpan(0, length), ref position, VarInt.MaxLength, out long read));
        Assert.Equal((value, length), (read, position));
    }

    [Theory]
    [InlineData("far", "3D699F3EDD8B3ECF9235C1F7B6F150D8F7C02CA945B4BF12E73AD0720694F6F2")]
    [InlineData("near", "C6E34E8A6481C09E7FE5C586EA746C55D58767CBAA84B1C2AC306BDBC0FD4484")]
    public void Proofs_are_those_of_the_page(string end, string hex)
    {
        var proof = new StripeProof(ProxyKey.FromBytes([.. Enumerable.Range(0, 32).Select(i => (byte)i)]));
        byte[] hello = [.. Enumerable.Repeat((byte)1, StripeHello.Length)], nonce = [.. Enumerable.Repeat((byte)2, StripeHello.NonceLength)];
        Assert.Equal(hex, Convert.ToHexString(end == "far" ? proof.OfFar(hello, nonce) : proof.OfNear(hello, nonce)));
    }

    private static StripeFrame Frame(string name) => name switch
    {
        "Data" => new StripeFrame(StripeFrameKind.Data) { Id = 1, Value = 300, Length = 5 },
        "Open" => new StripeFrame(StripeFrameKind.Open) { Id = 2, Words = Address() },
        "Open without address" => new StripeFrame(StripeFrameKind.Open) { Id = 3, Value = 1 },
        "End" => new StripeFrame(StripeFrameKind.End) { Id = 1, Value = 305 },
        "Reset" => new StripeFrame(StripeFrameKind.Reset) { Id = 1, Reason = ProxyErrorReason.ConnectionRefused, Words = "no"u8 },
        "Window" => new StripeFrame(StripeFrameKind.Window) { Id = 1, Value = 262_144 },
        "Blocked" => new StripeFrame(StripeFrameKind.Blocked) { Id = 1, Value = 262_144 },
        "Ack" => new StripeFrame(StripeFrameKind.Ack) { Id = 4, Value = 1000, Delay = 250 },
        "Ping" => new StripeFrame(StripeFrameKind.Ping) { Value = 5 },
        "Pong" => new StripeFrame(StripeFrameKind.Pong) { Value = 5 },
        "Leave" => new StripeFrame(StripeFrameKind.Leave),
        _ => new StripeFrame(StripeFrameKind.Goodbye),
    };

    private static byte[] Address()
    {
        var address = new byte[OpenAddress.MaxLength];
        return address[..OpenAddress.Write(address, IPEndPoint.Parse("192.0.2.1:8080"))];
    }

    private static bool AreSame(in StripeFrame a, in StripeFrame b) =>
        (a.Kind, a.Id, a.Value, a.Length, a.Delay, a.Reason, Encoding.Latin1.GetString(a.Words)) == (b.Kind, b.Id, b.Value, b.Length, b.Delay, b.Reason, Encoding.Latin1.GetString(b.Words));
}

using System.Text;
using FsCheck;
using FsCheck.Fluent;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Multiplexing;

namespace ProxyShell.Engine.Tests.Protocols.Multiplexing;

/// <summary>Frames of all three versions, byte for byte and in any parts (docs/protocols/multiplexing.md).</summary>
public class FrameCodecTests
{
    private static readonly MultiplexingVersion[] Versions = [MultiplexingVersion.V1, MultiplexingVersion.V2, MultiplexingVersion.V3];

    private static readonly ChannelId Mine = new(1, ChannelSource.Local), Theirs = new(2, ChannelSource.Remote);

    public static TheoryData<MultiplexingVersion> AllVersions => new(Versions);

    // the bytes are those of the npm packages nerdbank-streams and msgpack-lite
    [Theory]
    [InlineData(MultiplexingVersion.V1, "000000000100 03616263 0100000002 0000 0200000001 0005 68656C6C6F 0300000001 0000 0400000001 0000")]
    [InlineData(MultiplexingVersion.V2, "930001C40A92A3616263CE00019000 930102C40691CE00019000 930201C40568656C6C6F 920301 930401C40B91A94572726F723A206E6F 930502C40491CD5000")]
    [InlineData(MultiplexingVersion.V3, "94000101C40A92A3616263CE00019000 940102FFC40691CE00019000 94020101C40568656C6C6F 93030101 94040101C40B91A94572726F723A206E6F 940502FFC40491CD5000")]
    public void Frames_have_the_bytes_of_the_protocol(MultiplexingVersion version, string hex)
    {
        var output = new byte[1000];
        FrameCodec codec = FrameCodec.Of(version, isOdd: true);
        var writer = new FrameWriter(output, codec);
        writer.Offer(Mine, "abc"u8, 102_400);
        writer.Accept(Theirs, 102_400);
        writer.Content(Mine, "hello"u8);
        writer.Plain(FrameCode.ContentWritingCompleted, Mine);
        writer.Terminate(Mine, "Error: no"u8);
        if (codec.HasWindows) writer.Count(FrameCode.ContentProcessed, Theirs, 20_480);
        Assert.Equal(hex.Replace(" ", "", StringComparison.Ordinal), Convert.ToHexString(output, 0, writer.Length));
    }

    [Theory]
    [MemberData(nameof(AllVersions))]
    public void Any_split_gives_the_same_frames(MultiplexingVersion version)
    {
        FrameCodec codec = FrameCodec.Of(version, isOdd: true), peer = FrameCodec.Of(version, isOdd: false);
        Prop.ForAll(Arb.From(Gen.NonEmptyListOf(Frames(version))), Arb.From(Gen.NonEmptyListOf(Gen.Choose(1, 300))), (frames, parts) =>
        {
            byte[] stream = [.. frames.SelectMany(frame => frame.Written(peer))];
            Assert.Equal(frames, FrameFixture.ReadAll(codec, stream, parts));
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [MemberData(nameof(AllVersions))]
    public void Every_part_of_a_frame_is_incomplete(MultiplexingVersion version)
    {
        FrameCodec codec = FrameCodec.Of(version, isOdd: true);
        byte[] frame = new FrameFixture(FrameCode.Content, Mine, Convert.ToHexString(RandomBytes.Of(300))).Written(FrameCodec.Of(version, isOdd: false));
        for (int length = 0; length < frame.Length; length++) Assert.Equal(HeaderStatus.Incomplete, codec.Read(frame.AsSpan(0, length), out _, out _));
        Assert.Equal(HeaderStatus.Complete, codec.Read(frame, out Frame read, out _));
        Assert.Equal(frame.Length, read.Length);
    }

    [Theory]
    [MemberData(nameof(AllVersions))]
    public void A_payload_of_20_KiB_passes_and_a_longer_one_does_not(MultiplexingVersion version)
    {
        FrameCodec codec = FrameCodec.Of(version, isOdd: true), peer = FrameCodec.Of(version, isOdd: false);
        byte[] longest = new FrameFixture(FrameCode.Content, Mine, Convert.ToHexString(new byte[FrameCodec.MaxPayload])).Written(peer);
        Assert.Equal(HeaderStatus.Complete, codec.Read(longest, out _, out _));
        byte[] longer = new FrameFixture(FrameCode.Content, Mine, Convert.ToHexString(new byte[FrameCodec.MaxPayload + 1])).Written(peer);
        Assert.Equal(HeaderStatus.Invalid, codec.Read(longer, out _, out string fault));
        Assert.Equal("a frame has 20,481 bytes of payload, and 20,480 are allowed", fault);
    }

    [Theory]
    [InlineData(MultiplexingVersion.V2, "90", "a frame is an empty array")]
    [InlineData(MultiplexingVersion.V2, "A161", "a frame is not the MessagePack array it should be")]
    [InlineData(MultiplexingVersion.V2, "92C300", "a frame is not the MessagePack array it should be")]
    [InlineData(MultiplexingVersion.V2, "9202FF", "a frame names channel -1")]
    [InlineData(MultiplexingVersion.V2, "9202CFFFFFFFFFFFFFFFFF", "a frame is not the MessagePack array it should be")]
    [InlineData(MultiplexingVersion.V2, "930201C6FFFFFFFF", "a frame is longer than 21,504 bytes")]
    [InlineData(MultiplexingVersion.V2, "DDFFFFFFFF0201C0", "a frame is longer than 21,504 bytes")]
    [InlineData(MultiplexingVersion.V2, "940201C0DFFFFFFFFF", "a frame is longer than 21,504 bytes")]
    [InlineData(MultiplexingVersion.V2, "940201C0C1", "a frame is not the MessagePack array it should be")]
    [InlineData(MultiplexingVersion.V3, "920201", "a frame names a channel without its source")]
    [InlineData(MultiplexingVersion.V3, "93020102", "a frame names channel 1 of source 2")]
    [InlineData(MultiplexingVersion.V3, "9302FF01", "a frame names channel -1 of source 1")]
    public void What_is_no_frame_is_refused_with_the_reason(MultiplexingVersion version, string hex, string reason)
    {
        Assert.Equal(HeaderStatus.Invalid, FrameCodec.Of(version, isOdd: true).Read(Convert.FromHexString(hex), out _, out string fault));
        Assert.Equal(reason, fault);
    }

    [Theory]
    [InlineData(MultiplexingVersion.V1, "07000000000000", FrameCode.ChannelWindowAdjust, 7)]
    [InlineData(MultiplexingVersion.V1, "63000000000000", FrameCode.Unknown, 7)]
    [InlineData(MultiplexingVersion.V2, "9109", FrameCode.Unknown, 2)]
    [InlineData(MultiplexingVersion.V2, "91CD1234", FrameCode.Unknown, 4)]
    [InlineData(MultiplexingVersion.V2, "9302C0C0", FrameCode.Content, 4)]
    [InlineData(MultiplexingVersion.V3, "9402C0C0C0", FrameCode.Content, 5)]
    // items that a later version may append, of every kind
    [InlineData(MultiplexingVersion.V2, "9902C0C0C3CB0000000000000000D50102 03C7020101028201029102A0FE", FrameCode.Content, 30)]
    public void Frames_of_no_channel_and_unknown_codes_are_read(MultiplexingVersion version, string hex, object code, int length)
    {
        Assert.Equal(HeaderStatus.Complete, FrameCodec.Of(version, isOdd: true).Read(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), out Frame frame, out _));
        Assert.Equal(((FrameCode)code, null, length), (frame.Code, frame.Channel, frame.Length));
    }

    [Fact]
    public void Deep_nesting_costs_neither_stack_nor_memory()
    {
        byte[] frame = [0x94, 2, 0xC0, 0xC0, .. Enumerable.Repeat((byte)0x91, 20_000), 0xC0];
        Assert.Equal(HeaderStatus.Complete, FrameCodec.Of(MultiplexingVersion.V2, true).Read(frame, out Frame read, out _));
        Assert.Equal(frame.Length, read.Length);
        byte[] endless = [0x94, 2, 0xC0, 0xC0, .. Enumerable.Repeat((byte)0x91, 22_000)];
        Assert.Equal(HeaderStatus.Invalid, FrameCodec.Of(MultiplexingVersion.V2, true).Read(endless, out _, out _));
    }

    [Theory]
    [MemberData(nameof(AllVersions))]
    public void Arbitrary_bytes_are_never_more_than_refused(MultiplexingVersion version)
    {
        const int seed = 20;
        var random = new Random(seed);
        FrameCodec codec = FrameCodec.Of(version, isOdd: true);
        byte[] seeds = [.. Frames(version).Sample(10, 40).SelectMany(frame => frame.Written(codec))];
        for (int round = 0; round < 50_000; round++)
        {
            byte[] bytes = round % 5 == 0 ? RandomBytes.Of(random.Next(1, 60), random.Next()) : seeds.AsSpan(random.Next(seeds.Length)).ToArray();
            for (int changes = random.Next(4); changes > 0; changes--) bytes[random.Next(Math.Min(bytes.Length, 30))] = (byte)random.Next(256);
            HeaderStatus status = codec.Read(bytes, out Frame frame, out string fault);
            Assert.True(status == HeaderStatus.Invalid == fault.Length > 0, $"seed {seed}, round {round}: {status} with '{fault}'");
            if (status != HeaderStatus.Complete) continue;
            Assert.InRange(frame.Length, 1, bytes.Length);
            Assert.InRange(frame.PayloadStart + frame.PayloadLength, 0, frame.Length);
            ReadPayload(frame.Payload(bytes));
        }
    }

    [Fact]
    public void Payloads_come_back_as_written()
    {
        var output = new byte[FrameCodec.MaxFrame];
        FrameCodec codec = FrameCodec.Of(MultiplexingVersion.V3, isOdd: false);
        foreach (long number in new[] { 1, 127, 128, 255, 256, 65_535, 65_536, uint.MaxValue, uint.MaxValue + 1L, long.MaxValue })
        {
            foreach (int length in new[] { 0, 1, 31, 32, 255, 256, ControlPayload.MaxName })
            {
                string name = new('x', length);
                var offer = new FrameWriter(output, codec);
                offer.Offer(Mine, Encoding.UTF8.GetBytes(name), number);
                Assert.True(ControlPayload.TryReadOffer(Payload(output, offer.Length), out string read, out long window));
                Assert.Equal((name, number), (read, window));
            }
            var count = new FrameWriter(output, codec);
            count.Count(FrameCode.ContentProcessed, Mine, number);
            Assert.True(ControlPayload.TryReadCount(Payload(output, count.Length), out long processed));
            Assert.Equal(number, processed);
        }
    }

    [Fact]
    public void What_a_payload_leaves_out_has_a_meaning()
    {
        Assert.True(ControlPayload.TryReadOffer([0x91, 0xA1, 0x61], out string name, out long window));
        Assert.Equal(("a", 102_400), (name, window));
        Assert.True(ControlPayload.TryReadAcceptance([0x90], out window));
        Assert.Equal(102_400, window);
        Assert.Null(ControlPayload.ReadError([]));
        Assert.Null(ControlPayload.ReadError([0x90]));
        Assert.False(ControlPayload.TryReadOffer([0x90], out _, out _));
        Assert.False(ControlPayload.TryReadOffer([0x92, 0xA1, 0x61, 0], out _, out _));
        Assert.False(ControlPayload.TryReadAcceptance([0x91, 0xFF], out _));
        Assert.False(ControlPayload.TryReadCount([0x91, 0xFF], out _));
        Assert.False(ControlPayload.TryReadCount([], out _));
    }

    [Fact]
    public void A_long_error_is_cut_between_characters()
    {
        Assert.Equal(ControlPayload.MaxError, ControlPayload.ErrorBytes(new string('x', 2000)).Length);
        byte[] cut = ControlPayload.ErrorBytes("x" + new string('€', 1000));
        Assert.Equal(1 + 333 * 3, cut.Length);
        Assert.EndsWith("€", Encoding.UTF8.GetString(cut), StringComparison.Ordinal);
    }

    private static void ReadPayload(ReadOnlySpan<byte> payload)
    {
        if (ControlPayload.TryReadOffer(payload, out _, out long window)) Assert.True(window > 0);
        if (ControlPayload.TryReadAcceptance(payload, out window)) Assert.True(window > 0);
        if (ControlPayload.TryReadCount(payload, out long count)) Assert.True(count >= 0);
        ControlPayload.ReadError(payload);
    }

    private static byte[] Payload(byte[] output, int length)
    {
        Assert.Equal(HeaderStatus.Complete, FrameCodec.Of(MultiplexingVersion.V3, true).Read(output.AsSpan(0, length), out Frame frame, out _));
        return frame.Payload(output).ToArray();
    }

    // numbers of this side's parity are its own in versions 1 and 2; seeded channels are of version 3
    private static Gen<FrameFixture> Frames(MultiplexingVersion version) =>
        from code in Gen.Choose(0, 8)
        from source in version == MultiplexingVersion.V3 ? Gen.Elements(-1, 0, 1) : Gen.Elements(-1, 1)
        from number in Gen.OneOf(Gen.Choose(1, 200), Gen.Choose(1, 70_000), Gen.Choose(1, int.MaxValue / 2))
        from length in Gen.Frequency((5, Gen.Choose(0, 40)), (2, Gen.Choose(0, 400)), (1, Gen.Constant(FrameCodec.MaxPayload)))
        let own = version == MultiplexingVersion.V3 ? number : (number * 2L) + (source == 1 ? 1 : 0)
        select new FrameFixture((FrameCode)code, new ChannelId(own, (ChannelSource)source), Convert.ToHexString(RandomBytes.Of(length, number)));
}

using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Multiplexing;

namespace ProxyShell.Engine.Tests.Protocols.Multiplexing;

/// <summary>How versions 1 and 2 begin.</summary>
public class SessionHandshakeTests
{
    private static readonly byte[] Random = [.. Enumerable.Repeat((byte)7, 16)];

    [Theory]
    [InlineData(MultiplexingVersion.V1, "2FDF1D5007070707070707070707070707070707")]
    [InlineData(MultiplexingVersion.V2, "92920200C41007070707070707070707070707070707")]
    [InlineData(MultiplexingVersion.V3, "")]
    public void It_has_the_bytes_of_the_protocol(MultiplexingVersion version, string hex) =>
        Assert.Equal(hex, Convert.ToHexString(SessionHandshake.Write(version, Random)));

    [Theory]
    [InlineData(MultiplexingVersion.V1)]
    [InlineData(MultiplexingVersion.V2)]
    public void It_comes_back_as_written_in_any_parts(MultiplexingVersion version)
    {
        byte[] sent = SessionHandshake.Write(version, Random);
        byte[] stream = [.. sent, 1, 2, 3];
        for (int length = 0; length < sent.Length; length++)
            Assert.Equal(HeaderStatus.Incomplete, SessionHandshake.Read(version, stream.AsSpan(0, length), out _, out _, out _));
        Assert.Equal(HeaderStatus.Complete, SessionHandshake.Read(version, stream, out int total, out UInt128 random, out _));
        Assert.Equal((sent.Length, SessionHandshake.Number(Random)), (total, random));
    }

    [Theory]
    [InlineData(MultiplexingVersion.V1, "2FDE", "does not begin with the multiplexing protocol's version 1")]
    [InlineData(MultiplexingVersion.V1, "92920200C41007070707", "does not begin with the multiplexing protocol's version 1")]
    [InlineData(MultiplexingVersion.V2, "2FDF1D50", "does not begin with the multiplexing protocol's version 2")]
    [InlineData(MultiplexingVersion.V2, "92920200C40107", "does not begin with the multiplexing protocol's version 2")]
    [InlineData(MultiplexingVersion.V2, "92920300C41007070707070707070707070707070707", "speaks version 3 of the multiplexing protocol, not 2")]
    [InlineData(MultiplexingVersion.V2, "92920200C6FFFFFFFF", "sent a handshake that is too long")]
    public void Anything_else_is_refused_with_the_reason(MultiplexingVersion version, string hex, string reason)
    {
        Assert.Equal(HeaderStatus.Invalid, SessionHandshake.Read(version, Convert.FromHexString(hex), out _, out _, out string fault));
        Assert.Equal(reason, fault);
    }

    [Fact]
    public void A_later_minor_version_and_appended_items_are_welcome()
    {
        byte[] sent = Convert.FromHexString("9393020903C4100707070707070707070707070707070700");
        Assert.Equal(HeaderStatus.Complete, SessionHandshake.Read(MultiplexingVersion.V2, sent, out int total, out _, out _));
        Assert.Equal(sent.Length, total);
    }

    [Fact]
    public void The_first_byte_of_a_number_is_the_most_significant() =>
        Assert.True(SessionHandshake.Number([0x80, .. new byte[15]]) > SessionHandshake.Number([0x7F, .. Enumerable.Repeat((byte)0xFF, 15)]));
}

namespace ProxyShell.Engine.Protocols.Multiplexing;

/// <summary>
/// Frames of the Nerdbank.Streams multiplexing protocol; one derived class for each form they have. Ids go in and come out as this side
/// sees them. docs/protocols/multiplexing.md, "Frames".
/// </summary>
internal abstract class FrameCodec
{
    /// <summary>The longest payload of any frame.</summary>
    public const int MaxPayload = 20 * 1024;

    /// <summary>The longest head, which is all that stands before a payload.</summary>
    public const int MaxHead = 16;

    /// <summary>The longest frame that is read: the rest is room for items that later versions may append.</summary>
    public const int MaxFrame = MaxPayload + 1024;

    /// <summary>The codec of a version; which party this side is matters to those that begin with a handshake.</summary>
    public static FrameCodec Of(MultiplexingVersion version, bool isOdd) => version switch
    {
        MultiplexingVersion.V1 => new FrameCodecV1(isOdd),
        MultiplexingVersion.V2 => new FrameCodecV2(isOdd),
        _ => new FrameCodecV3(),
    };

    /// <summary>Whether payloads are MessagePack, with windows and error texts; else only offers have one: their name.</summary>
    public abstract bool HasWindows { get; }

    /// <summary>Reads the frame that the bytes begin with. The fault says what is wrong with an invalid one.</summary>
    public abstract HeaderStatus Read(ReadOnlySpan<byte> bytes, out Frame frame, out string fault);

    /// <summary>Writes a head; returns its length, at most <see cref="MaxHead"/>.</summary>
    public abstract int WriteHead(Span<byte> output, FrameCode code, ChannelId channel, int payloadLength);

    protected static FrameCode Known(long code) => code is >= 0 and <= (long)FrameCode.ChannelWindowGrowthRequest ? (FrameCode)code : FrameCode.Unknown;

    protected static HeaderStatus TooLong(out string fault)
    {
        fault = $"a frame is longer than {MaxFrame:N0} bytes";
        return HeaderStatus.Invalid;
    }

    // odd and even numbers belong to one party each
    protected static ChannelId? ByParity(long number, bool isOdd) =>
        number == 0 ? null : new ChannelId(number, (number & 1) == 1 == isOdd ? ChannelSource.Local : ChannelSource.Remote);
}

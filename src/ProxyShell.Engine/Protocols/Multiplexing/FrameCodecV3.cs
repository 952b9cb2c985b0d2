namespace ProxyShell.Engine.Protocols.Multiplexing;

/// <summary>
/// Version 3, in MessagePack: <c>[code]</c>, <c>[code, channel, source]</c> or <c>[code, channel, source, payload]</c>. The source is
/// the sender's view: 1 it offered the channel, −1 the receiver did, 0 it was seeded.
/// </summary>
internal sealed class FrameCodecV3 : MsgPackFrameCodec
{
    public override int WriteHead(Span<byte> output, FrameCode code, ChannelId channel, int payloadLength)
    {
        var writer = new MsgPackWriter(output);
        writer.Array(payloadLength > 0 ? 4 : 3);
        writer.Integer((long)code);
        writer.Integer(channel.Number);
        writer.Integer((long)channel.Source);
        if (payloadLength > 0) writer.BinaryHead(payloadLength);
        return writer.Length;
    }

    protected override ChannelId? ReadChannel(ref MsgPackReader reader, ref long items, out string fault)
    {
        fault = "";
        items--;
        if (reader.TryNil())
        {
            // no channel, so its source says nothing
            if (items-- > 0) reader.Skip(1);
            return null;
        }
        if (items-- == 0)
        {
            fault = "a frame names a channel without its source";
            return null;
        }
        long number = reader.Integer(), source = reader.Integer();
        if (number < 0 || source is < -1 or > 1) fault = $"a frame names channel {number} of source {source}";
        return new ChannelId(number, (ChannelSource)source).Flipped;
    }
}

namespace ProxyShell.Engine.Protocols.Multiplexing;

/// <summary>Version 2, in MessagePack: <c>[code]</c>, <c>[code, channel]</c> or <c>[code, channel or nil, payload]</c>.</summary>
internal sealed class FrameCodecV2(bool isOdd) : MsgPackFrameCodec
{
    public override int WriteHead(Span<byte> output, FrameCode code, ChannelId channel, int payloadLength)
    {
        var writer = new MsgPackWriter(output);
        writer.Array(payloadLength > 0 ? 3 : 2);
        writer.Integer((long)code);
        writer.Integer(channel.Number);
        if (payloadLength > 0) writer.BinaryHead(payloadLength);
        return writer.Length;
    }

    protected override ChannelId? ReadChannel(ref MsgPackReader reader, ref long items, out string fault)
    {
        fault = "";
        items--;
        if (reader.TryNil()) return null;
        long number = reader.Integer();
        if (number < 0) fault = $"a frame names channel {number}";
        return ByParity(number, isOdd);
    }
}

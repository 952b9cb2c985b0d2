namespace ProxyShell.Engine.Protocols.Multiplexing;

/// <summary>What versions 2 and 3 share: a frame is a MessagePack array; items behind the known ones are passed over.</summary>
internal abstract class MsgPackFrameCodec : FrameCodec
{
    public override bool HasWindows => true;

    public override HeaderStatus Read(ReadOnlySpan<byte> bytes, out Frame frame, out string fault)
    {
        frame = default;
        var reader = new MsgPackReader(bytes);
        long items = reader.Array();
        if (items == 0 && reader.Status == HeaderStatus.Complete) return Invalid("a frame is an empty array", out fault);
        long code = reader.Integer();
        items--;
        fault = "";
        ChannelId? channel = items > 0 ? ReadChannel(ref reader, ref items, out fault) : null;
        int payloadLength = 0;
        if (items > 0)
        {
            items--;
            if (!reader.TryNil()) payloadLength = reader.Binary().Length;
        }
        int payloadEnd = reader.Position;
        reader.Skip(items);
        if (Judge(reader, payloadLength, ref fault) is var status and not HeaderStatus.Complete) return status;
        frame = new Frame(Known(code), channel, payloadEnd - payloadLength, payloadLength, reader.Position);
        return HeaderStatus.Complete;
    }

    /// <summary>Reads what names the channel, and takes that many off the number of items left.</summary>
    protected abstract ChannelId? ReadChannel(ref MsgPackReader reader, ref long items, out string fault);

    private static HeaderStatus Judge(MsgPackReader reader, int payloadLength, ref string fault)
    {
        if (reader.Needed > MaxFrame || reader.Position > MaxFrame) return TooLong(out fault);
        if (reader.Status == HeaderStatus.Invalid) return Invalid("a frame is not the MessagePack array it should be", out fault);
        if (reader.Status == HeaderStatus.Incomplete)
        {
            fault = "";
            return HeaderStatus.Incomplete;
        }
        if (payloadLength > MaxPayload) return Invalid($"a frame has {payloadLength:N0} bytes of payload, and {MaxPayload:N0} are allowed", out fault);
        return fault.Length > 0 ? HeaderStatus.Invalid : HeaderStatus.Complete;
    }

    private static HeaderStatus Invalid(string why, out string fault)
    {
        fault = why;
        return HeaderStatus.Invalid;
    }
}

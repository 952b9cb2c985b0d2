namespace ProxyShell.Engine.Protocols.Multiplexing;

/// <summary>Writes frames one after another; the caller's span is large enough for them: <see cref="Length"/> so far, and each at most its payload and <see cref="FrameCodec.MaxHead"/>.</summary>
internal ref struct FrameWriter(Span<byte> output, FrameCodec codec)
{
    private readonly Span<byte> _output = output;

    public int Length { get; private set; }

    /// <summary>A frame that says all there is to say with its code.</summary>
    public void Plain(FrameCode code, ChannelId channel) => Length += codec.WriteHead(_output[Length..], code, channel, 0);

    public void Content(ChannelId channel, scoped ReadOnlySpan<byte> bytes) => Append(FrameCode.Content, channel, bytes);

    /// <summary>An offer; the name has at most <see cref="ControlPayload.MaxName"/> bytes.</summary>
    public void Offer(ChannelId channel, scoped ReadOnlySpan<byte> name, long window)
    {
        if (codec.HasWindows)
        {
            var payload = new MsgPackWriter(Payload);
            payload.Array(2);
            payload.String(name);
            payload.Integer(window);
            Close(FrameCode.Offer, channel, payload.Length);
        }
        else
        {
            Append(FrameCode.Offer, channel, name);
        }
    }

    public void Accept(ChannelId channel, long window)
    {
        if (codec.HasWindows) Count(FrameCode.OfferAccepted, channel, window);
        else Plain(FrameCode.OfferAccepted, channel);
    }

    /// <summary>An acknowledgement or a window.</summary>
    public void Count(FrameCode code, ChannelId channel, long count)
    {
        var payload = new MsgPackWriter(Payload);
        payload.Array(1);
        payload.Integer(count);
        Close(code, channel, payload.Length);
    }

    /// <summary>A termination, with an error if there is one and the version has room for it.</summary>
    public void Terminate(ChannelId channel, scoped ReadOnlySpan<byte> error)
    {
        if (error.IsEmpty || !codec.HasWindows)
        {
            Plain(FrameCode.ChannelTerminated, channel);
            return;
        }
        var payload = new MsgPackWriter(Payload);
        payload.Array(1);
        payload.String(error);
        Close(FrameCode.ChannelTerminated, channel, payload.Length);
    }

    // where a payload is written whose length, and so its head's, is not known yet
    private readonly Span<byte> Payload => _output[(Length + FrameCodec.MaxHead)..];

    private void Close(FrameCode code, ChannelId channel, int payloadLength)
    {
        Span<byte> payload = Payload[..payloadLength];
        Length += codec.WriteHead(_output[Length..], code, channel, payloadLength);
        payload.CopyTo(_output[Length..]);
        Length += payloadLength;
    }

    private void Append(FrameCode code, ChannelId channel, scoped ReadOnlySpan<byte> payload)
    {
        Length += codec.WriteHead(_output[Length..], code, channel, payload.Length);
        payload.CopyTo(_output[Length..]);
        Length += payload.Length;
    }
}

using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Multiplexing;

namespace ProxyShell.Engine.Tests.Protocols.Multiplexing;

/// <summary>A frame with its payload, for comparing what was written with what is read.</summary>
internal sealed record FrameFixture(FrameCode Code, ChannelId? Channel, string PayloadHex)
{
    public static FrameFixture Of(Frame frame, ReadOnlySpan<byte> bytes) => new(frame.Code, frame.Channel, Convert.ToHexString(frame.Payload(bytes)));

    /// <summary>The bytes of the frame as a peer sends it, whose view of the channel is the other one.</summary>
    public byte[] Written(FrameCodec peer)
    {
        byte[] payload = Convert.FromHexString(PayloadHex), output = new byte[payload.Length + FrameCodec.MaxHead];
        int head = peer.WriteHead(output, Code, Channel!.Value.Flipped, payload.Length);
        payload.CopyTo(output, head);
        return output[..(head + payload.Length)];
    }

    /// <summary>All frames of a stream that comes in parts of these lengths (the last length goes on); fails on what is none.</summary>
    public static List<FrameFixture> ReadAll(FrameCodec codec, byte[] stream, IReadOnlyList<int> parts)
    {
        var frames = new List<FrameFixture>();
        int start = 0, end = 0;
        for (int part = 0; end < stream.Length; part++)
        {
            end = Math.Min(stream.Length, end + parts[Math.Min(part, parts.Count - 1)]);
            HeaderStatus status;
            while ((status = codec.Read(stream.AsSpan(start, end - start), out Frame frame, out string fault)) == HeaderStatus.Complete)
            {
                frames.Add(Of(frame, stream.AsSpan(start, end - start)));
                start += frame.Length;
            }
            Assert.True(status == HeaderStatus.Incomplete);
        }
        Assert.Equal(stream.Length, start);
        return frames;
    }
}

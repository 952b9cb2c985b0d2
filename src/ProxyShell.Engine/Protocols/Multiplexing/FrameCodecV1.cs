using System.Buffers.Binary;

namespace ProxyShell.Engine.Protocols.Multiplexing;

/// <summary>Version 1: code (1 byte), channel (4, big-endian; 0 is none), length of the payload (2, big-endian), payload.</summary>
internal sealed class FrameCodecV1(bool isOdd) : FrameCodec
{
    public const int HeadLength = 7;

    public override bool HasWindows => false;

    public override HeaderStatus Read(ReadOnlySpan<byte> bytes, out Frame frame, out string fault)
    {
        (frame, fault) = (default, "");
        if (bytes.Length < HeadLength) return HeaderStatus.Incomplete;
        int length = BinaryPrimitives.ReadUInt16BigEndian(bytes[5..]);
        if (length > MaxPayload)
        {
            fault = $"a frame has {length:N0} bytes of payload, and {MaxPayload:N0} are allowed";
            return HeaderStatus.Invalid;
        }
        if (bytes.Length < HeadLength + length) return HeaderStatus.Incomplete;
        frame = new Frame(Known(bytes[0]), ByParity(BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]), isOdd), HeadLength, length, HeadLength + length);
        return HeaderStatus.Complete;
    }

    public override int WriteHead(Span<byte> output, FrameCode code, ChannelId channel, int payloadLength)
    {
        output[0] = (byte)code;
        BinaryPrimitives.WriteUInt32BigEndian(output[1..], (uint)channel.Number);
        BinaryPrimitives.WriteUInt16BigEndian(output[5..], (ushort)payloadLength);
        return HeadLength;
    }
}

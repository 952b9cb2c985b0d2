using System.Buffers.Binary;

namespace ProxyShell.Engine.Protocols;

/// <summary>Writes big-endian fields one after another; the caller's span is large enough by construction.</summary>
internal ref struct SpanWriter(Span<byte> output)
{
    private readonly Span<byte> _output = output;

    public int Length { get; private set; }

    public void Byte(byte value) => _output[Length++] = value;

    public void UInt16(int value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_output[Length..], (ushort)value);
        Length += 2;
    }

    public void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_output[Length..], value);
        Length += 4;
    }

    public void Int64(long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(_output[Length..], value);
        Length += 8;
    }

    public void UInt128(UInt128 value)
    {
        BinaryPrimitives.WriteUInt128BigEndian(_output[Length..], value);
        Length += 16;
    }

    public void Bytes(scoped ReadOnlySpan<byte> value)
    {
        value.CopyTo(_output[Length..]);
        Length += value.Length;
    }
}

using System.Buffers.Binary;

namespace ProxyShell.Engine.Protocols.Multiplexing;

/// <summary>Writes the part of MessagePack that the protocol uses, each value in its shortest form; the caller's span is large enough by construction.</summary>
internal ref struct MsgPackWriter(Span<byte> output)
{
    private readonly Span<byte> _output = output;

    public int Length { get; private set; }

    /// <summary>The head of an array of at most 15 items.</summary>
    public void Array(int count) => _output[Length++] = (byte)(MsgPackFormat.FixArray | count);

    public void Integer(long value)
    {
        if (value is >= -32 and <= 127) _output[Length++] = (byte)value;
        else if (value < 0) Tagged(MsgPackFormat.Int64, unchecked((ulong)value), 8);
        else if (value <= byte.MaxValue) Tagged(MsgPackFormat.UInt8, (ulong)value, 1);
        else if (value <= ushort.MaxValue) Tagged(MsgPackFormat.UInt16, (ulong)value, 2);
        else if (value <= uint.MaxValue) Tagged(MsgPackFormat.UInt32, (ulong)value, 4);
        else Tagged(MsgPackFormat.UInt64, (ulong)value, 8);
    }

    /// <summary>The head of so many bytes, which the caller appends.</summary>
    public void BinaryHead(int length)
    {
        if (length <= byte.MaxValue) Tagged(MsgPackFormat.Bin8, (ulong)length, 1);
        else Tagged(MsgPackFormat.Bin16, (ulong)length, 2);
    }

    public void Binary(scoped ReadOnlySpan<byte> bytes)
    {
        BinaryHead(bytes.Length);
        Raw(bytes);
    }

    public void String(scoped ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length < 32) _output[Length++] = (byte)(MsgPackFormat.FixString | utf8.Length);
        else if (utf8.Length <= byte.MaxValue) Tagged(MsgPackFormat.String8, (ulong)utf8.Length, 1);
        else Tagged(MsgPackFormat.String16, (ulong)utf8.Length, 2);
        Raw(utf8);
    }

    private void Raw(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_output[Length..]);
        Length += bytes.Length;
    }

    private void Tagged(byte tag, ulong value, int size)
    {
        _output[Length++] = tag;
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        Raw(bytes[(8 - size)..]);
    }
}

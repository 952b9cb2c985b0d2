using System.Buffers.Binary;

namespace ProxyShell.Engine.Protocols;

/// <summary>Reads big-endian fields one after another; a read past the end sets <see cref="Failed"/> and yields zeros.</summary>
internal ref struct SpanReader(ReadOnlySpan<byte> input)
{
    private ReadOnlySpan<byte> _rest = input;

    public bool Failed { get; private set; }

    public readonly int Remaining => _rest.Length;

    public byte Byte()
    {
        ReadOnlySpan<byte> b = Bytes(1);
        return b.IsEmpty ? (byte)0 : b[0];
    }

    public int UInt16()
    {
        ReadOnlySpan<byte> b = Bytes(2);
        return b.IsEmpty ? 0 : BinaryPrimitives.ReadUInt16BigEndian(b);
    }

    public uint UInt32()
    {
        ReadOnlySpan<byte> b = Bytes(4);
        return b.IsEmpty ? 0 : BinaryPrimitives.ReadUInt32BigEndian(b);
    }

    public long Int64()
    {
        ReadOnlySpan<byte> b = Bytes(8);
        return b.IsEmpty ? 0 : BinaryPrimitives.ReadInt64BigEndian(b);
    }

    public UInt128 UInt128()
    {
        ReadOnlySpan<byte> b = Bytes(16);
        return b.IsEmpty ? System.UInt128.Zero : BinaryPrimitives.ReadUInt128BigEndian(b);
    }

    public ReadOnlySpan<byte> Bytes(int count)
    {
        if (count > _rest.Length)
        {
            Failed = true;
            _rest = default;
            return default;
        }
        ReadOnlySpan<byte> taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}

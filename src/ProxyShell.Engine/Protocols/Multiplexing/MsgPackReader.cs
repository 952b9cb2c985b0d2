using System.Buffers.Binary;

namespace ProxyShell.Engine.Protocols.Multiplexing;

/// <summary>
/// Reads the part of MessagePack that the protocol uses from bytes that may end anywhere. After the first value that is not whole or not what
/// was asked for, <see cref="Status"/> says so and all further reads yield nothing. Takes no memory and does not recurse, however deep the input.
/// </summary>
internal ref struct MsgPackReader(ReadOnlySpan<byte> input)
{
    private readonly ReadOnlySpan<byte> _input = input;

    public HeaderStatus Status { get; private set; } = HeaderStatus.Complete;

    /// <summary>How many bytes of the input have been read.</summary>
    public int Position { get; private set; }

    /// <summary>How many bytes the input must have at least before reading can go further; more than it has when incomplete.</summary>
    public long Needed { get; private set; }

    /// <summary>The number of items of an array.</summary>
    public long Array()
    {
        byte tag = Tag();
        if ((tag & 0xF0) == MsgPackFormat.FixArray) return tag & 0x0F;
        return tag switch
        {
            MsgPackFormat.Array16 => (long)Unsigned(2),
            MsgPackFormat.Array32 => (long)Unsigned(4),
            _ => Wrong(),
        };
    }

    /// <summary>An integer in any of its forms, except those above <see cref="long.MaxValue"/>.</summary>
    public long Integer()
    {
        byte tag = Tag();
        if (tag < MsgPackFormat.FixMap || tag >= MsgPackFormat.NegativeFixInt) return (sbyte)tag;
        return tag switch
        {
            MsgPackFormat.UInt8 => (long)Unsigned(1),
            MsgPackFormat.UInt16 => (long)Unsigned(2),
            MsgPackFormat.UInt32 => (long)Unsigned(4),
            MsgPackFormat.UInt64 => Unsigned(8) is var value and <= long.MaxValue ? (long)value : Wrong(),
            MsgPackFormat.Int8 => (sbyte)Unsigned(1),
            MsgPackFormat.Int16 => (short)Unsigned(2),
            MsgPackFormat.Int32 => (int)Unsigned(4),
            MsgPackFormat.Int64 => (long)Unsigned(8),
            _ => Wrong(),
        };
    }

    /// <summary>Takes a nil if there is one.</summary>
    public bool TryNil()
    {
        if (Status != HeaderStatus.Complete || Position >= _input.Length || _input[Position] != MsgPackFormat.Nil) return false;
        Position++;
        return true;
    }

    /// <summary>A run of bytes.</summary>
    public ReadOnlySpan<byte> Binary() => Tag() switch
    {
        MsgPackFormat.Bin8 => Bytes((long)Unsigned(1)),
        MsgPackFormat.Bin16 => Bytes((long)Unsigned(2)),
        MsgPackFormat.Bin32 => Bytes((long)Unsigned(4)),
        _ => Bytes(Wrong()),
    };

    /// <summary>The UTF-8 bytes of a text.</summary>
    public ReadOnlySpan<byte> String()
    {
        byte tag = Tag();
        if ((tag & 0xE0) == MsgPackFormat.FixString) return Bytes(tag & 0x1F);
        return tag switch
        {
            MsgPackFormat.String8 => Bytes((long)Unsigned(1)),
            MsgPackFormat.String16 => Bytes((long)Unsigned(2)),
            MsgPackFormat.String32 => Bytes((long)Unsigned(4)),
            _ => Bytes(Wrong()),
        };
    }

    /// <summary>Passes over so many values, whatever is in them.</summary>
    public void Skip(long values)
    {
        while (values > 0 && Status == HeaderStatus.Complete)
        {
            // each of them has one byte at least: an absurd number is seen to be one before its bytes come
            Need(values);
            values += Pass() - 1;
        }
    }

    // passes over one value without its items; says how many items follow
    private long Pass()
    {
        byte tag = Tag();
        if (tag < MsgPackFormat.FixMap || tag >= MsgPackFormat.NegativeFixInt) return 0;
        if (tag < MsgPackFormat.FixArray) return 2 * (tag & 0x0F);
        if (tag < MsgPackFormat.FixString) return tag & 0x0F;
        if (tag < MsgPackFormat.Nil) return Pass(tag & 0x1F);
        return tag switch
        {
            MsgPackFormat.NeverUsed => Wrong(),
            MsgPackFormat.Bin8 or MsgPackFormat.String8 => Pass((long)Unsigned(1)),
            MsgPackFormat.Bin16 or MsgPackFormat.String16 => Pass((long)Unsigned(2)),
            MsgPackFormat.Bin32 or MsgPackFormat.String32 => Pass((long)Unsigned(4)),
            MsgPackFormat.Ext8 => Pass((long)Unsigned(1) + 1),
            MsgPackFormat.Ext16 => Pass((long)Unsigned(2) + 1),
            MsgPackFormat.Ext32 => Pass((long)Unsigned(4) + 1),
            MsgPackFormat.Float32 or MsgPackFormat.UInt32 or MsgPackFormat.Int32 => Pass(4),
            MsgPackFormat.Float64 or MsgPackFormat.UInt64 or MsgPackFormat.Int64 => Pass(8),
            MsgPackFormat.UInt8 or MsgPackFormat.Int8 => Pass(1),
            MsgPackFormat.UInt16 or MsgPackFormat.Int16 => Pass(2),
            >= MsgPackFormat.FixExt1 and <= MsgPackFormat.FixExt16 => Pass(1 + (1 << (tag - MsgPackFormat.FixExt1))),
            MsgPackFormat.Array16 => (long)Unsigned(2),
            MsgPackFormat.Array32 => (long)Unsigned(4),
            MsgPackFormat.Map16 => 2 * (long)Unsigned(2),
            MsgPackFormat.Map32 => 2 * (long)Unsigned(4),
            _ => 0,
        };
    }

    private long Pass(long bytes)
    {
        Bytes(bytes);
        return 0;
    }

    // what stands for no tag is one that no read wants
    private byte Tag() => Bytes(1) is [var tag] ? tag : MsgPackFormat.NeverUsed;

    private ulong Unsigned(int size)
    {
        ReadOnlySpan<byte> bytes = Bytes(size);
        if (bytes.IsEmpty) return 0;
        Span<byte> wide = stackalloc byte[8];
        wide.Clear();
        bytes.CopyTo(wide[(8 - size)..]);
        return BinaryPrimitives.ReadUInt64BigEndian(wide);
    }

    private ReadOnlySpan<byte> Bytes(long count)
    {
        if (!Need(count)) return default;
        ReadOnlySpan<byte> taken = _input.Slice(Position, (int)count);
        Position += (int)count;
        return taken;
    }

    private bool Need(long count)
    {
        if (Status != HeaderStatus.Complete) return false;
        Needed = Position + count;
        if (Needed > _input.Length) Status = HeaderStatus.Incomplete;
        return Status == HeaderStatus.Complete;
    }

    private long Wrong()
    {
        if (Status == HeaderStatus.Complete) Status = HeaderStatus.Invalid;
        return 0;
    }
}

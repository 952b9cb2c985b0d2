using System.Buffers;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>
/// A numbered frame in a pooled buffer, kept until its arrival is acknowledged. It may be under way on several stripes at once; the buffer goes
/// back when the last of them is done with it.
/// </summary>
internal sealed class OutFrame(StripedStream stream, byte[] buffer)
{
    private int _uses;

    /// <summary>The stream it belongs to.</summary>
    public StripedStream Stream => stream;

    public byte[] Buffer => buffer;

    /// <summary>The frame's length with its header.</summary>
    public int Length { get; init; }

    /// <summary>Whether a stream that was broken off has no use for it any more.</summary>
    public bool DiesWithStream { get; init; } = true;

    /// <summary>Whether its bytes have been copied into the buffer.</summary>
    public bool IsWhole { get; set; } = true;

    /// <summary>Whether it arrived, on one stripe or another.</summary>
    public bool IsDelivered { get; set; }

    public ReadOnlyMemory<byte> Bytes => buffer.AsMemory(0, Length);

    /// <summary>Whether sending it (again) would be of use.</summary>
    public bool IsWanted => !IsDelivered && !(DiesWithStream && stream.IsBroken);

    public void Retain() => _uses++;

    public void Release()
    {
        if (--_uses == 0) ArrayPool<byte>.Shared.Return(buffer);
    }
}

using System.Buffers;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>Bytes of a stream in a pooled buffer, which is this piece's alone.</summary>
internal readonly record struct Piece(byte[] Buffer, int Start, int Length)
{
    public ReadOnlySpan<byte> Span => Buffer.AsSpan(Start, Length);

    /// <summary>The space behind the bytes.</summary>
    public int Room => Buffer.Length - Start - Length;

    public Piece Skip(int count) => new(Buffer, Start + count, Length - count);

    public void Release() => ArrayPool<byte>.Shared.Return(Buffer);
}

using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Protocols.Striping;

/// <summary>
/// The frames of stripes: a kind (1 byte), then its fields as <see cref="VarInt"/>, then its bytes. docs/protocols/striping.md, "Frames".
/// </summary>
internal static class StripeFrameCodec
{
    /// <summary>The most bytes of a stream in one frame: with its header it fits into one TCP segment on loopback, and into a pooled buffer of 64 KiB.</summary>
    public const int MaxData = 63 * 1024;

    /// <summary>The most bytes before those: kind, stream, offset, length.</summary>
    public const int MaxDataHeader = 1 + VarInt.MaxLength + VarInt.MaxLength + LengthBytes;

    /// <summary>The longest reason in words, in bytes.</summary>
    public const int MaxWords = 512;

    /// <summary>The longest frame, without the bytes of a Data frame.</summary>
    public const int MaxLength = 1 + VarInt.MaxLength + 1 + 2 + MaxWords;

    // 64,512 needs three
    private const int LengthBytes = 3;

    /// <summary>Writes a frame, of Data the part before its bytes; returns the length.</summary>
    public static int Write(Span<byte> output, in StripeFrame frame)
    {
        output[0] = (byte)frame.Kind;
        int length = 1;
        if (HasId(frame.Kind)) length += VarInt.Write(output[length..], frame.Id);
        if (HasValue(frame.Kind)) length += VarInt.Write(output[length..], frame.Value);
        if (frame.Kind == StripeFrameKind.Data) length += VarInt.Write(output[length..], frame.Length);
        if (frame.Kind == StripeFrameKind.Ack) length += VarInt.Write(output[length..], frame.Delay);
        if (HasReason(frame.Kind)) output[length++] = (byte)frame.Reason;
        if (!HasWords(frame.Kind)) return length;
        length += VarInt.Write(output[length..], frame.Words.Length);
        frame.Words.CopyTo(output[length..]);
        return length + frame.Words.Length;
    }

    /// <summary>Reads the frame that the bytes begin with, of Data the part before its bytes; <paramref name="length"/> is that of what was read.</summary>
    public static HeaderStatus Read(ReadOnlySpan<byte> input, out StripeFrame frame, out int length)
    {
        frame = default;
        int position = 0;
        length = 0;
        if (input.IsEmpty) return HeaderStatus.Incomplete;
        var kind = (StripeFrameKind)input[0];
        if (kind is < StripeFrameKind.Data or > StripeFrameKind.Leave) return HeaderStatus.Invalid;
        position = 1;
        long id = 0, value = 0, size = 0, delay = 0;
        var reason = ProxyErrorReason.None;
        HeaderStatus status = HeaderStatus.Complete;
        if (HasId(kind)) status = VarInt.Read(input, ref position, VarInt.MaxLength, out id);
        if (status == HeaderStatus.Complete && HasValue(kind)) status = VarInt.Read(input, ref position, VarInt.MaxLength, out value);
        if (status == HeaderStatus.Complete && kind == StripeFrameKind.Data) status = ReadSize(input, ref position, 1, MaxData, out size);
        if (status == HeaderStatus.Complete && kind == StripeFrameKind.Ack) status = VarInt.Read(input, ref position, VarInt.MaxLength, out delay);
        if (status == HeaderStatus.Complete && HasReason(kind)) status = ReadReason(input, ref position, out reason);
        ReadOnlySpan<byte> words = default;
        if (status == HeaderStatus.Complete && HasWords(kind)) status = ReadWords(input, ref position, kind == StripeFrameKind.Open ? OpenAddress.MaxLength : MaxWords, out words);
        if (status != HeaderStatus.Complete) return status;
        length = position;
        frame = new StripeFrame(kind) { Id = id, Value = value, Length = (int)size, Delay = delay, Reason = reason, Words = words };
        return HeaderStatus.Complete;
    }

    private static bool HasId(StripeFrameKind kind) => kind <= StripeFrameKind.Ack;

    private static bool HasValue(StripeFrameKind kind) => kind is not (StripeFrameKind.Reset or StripeFrameKind.Goodbye or StripeFrameKind.Leave);

    private static bool HasReason(StripeFrameKind kind) => kind is StripeFrameKind.Reset or StripeFrameKind.Goodbye;

    private static bool HasWords(StripeFrameKind kind) => kind == StripeFrameKind.Open || HasReason(kind);

    private static HeaderStatus ReadSize(ReadOnlySpan<byte> input, scoped ref int position, int least, int most, out long size)
    {
        HeaderStatus status = VarInt.Read(input, ref position, LengthBytes, out size);
        return status == HeaderStatus.Complete && (size < least || size > most) ? HeaderStatus.Invalid : status;
    }

    private static HeaderStatus ReadReason(ReadOnlySpan<byte> input, ref int position, out ProxyErrorReason reason)
    {
        reason = default;
        if (position >= input.Length) return HeaderStatus.Incomplete;
        reason = (ProxyErrorReason)input[position++];
        return HeaderStatus.Complete;
    }

    private static HeaderStatus ReadWords(ReadOnlySpan<byte> input, scoped ref int position, int most, out ReadOnlySpan<byte> words)
    {
        words = default;
        HeaderStatus status = ReadSize(input, ref position, 0, most, out long size);
        if (status != HeaderStatus.Complete) return status;
        if (input.Length - position < size) return HeaderStatus.Incomplete;
        words = input.Slice(position, (int)size);
        position += (int)size;
        return HeaderStatus.Complete;
    }
}

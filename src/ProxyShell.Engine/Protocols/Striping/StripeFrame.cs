using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Protocols.Striping;

/// <summary>A frame's fields; of a Data frame all but its bytes, which follow.</summary>
/// <param name="kind">What it says.</param>
internal readonly ref struct StripeFrame(StripeFrameKind kind)
{
    public StripeFrameKind Kind => kind;

    /// <summary>The stream; of an Ack the stripe.</summary>
    public long Id { get; init; }

    /// <summary>Data: the offset of its first byte. End: the stream's length. Window and Blocked: the limit. Ack: the count. Ping and Pong: the token. Open: the kind of stream.</summary>
    public long Value { get; init; }

    /// <summary>Data: how many bytes follow.</summary>
    public int Length { get; init; }

    /// <summary>Ack: how long this answer was held back, in microseconds.</summary>
    public long Delay { get; init; }

    /// <summary>Reset and Goodbye: why.</summary>
    public ProxyErrorReason Reason { get; init; }

    /// <summary>Reset and Goodbye: the reason in words (UTF-8). Open: the client's address and port.</summary>
    public ReadOnlySpan<byte> Words { get; init; }

    /// <summary>Whether it counts among those that are acknowledged, and are sent again when their stripe is lost.</summary>
    public bool IsNumbered => kind is >= StripeFrameKind.Data and <= StripeFrameKind.Blocked;
}

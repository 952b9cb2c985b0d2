namespace ProxyShell.Bench.Load;

/// <summary>Finds the end of an answer in what has come so far.</summary>
/// <returns>The length of the whole answer, 0 when it is not whole yet, less when it is not what was asked for.</returns>
internal delegate int AnswerLength(ReadOnlySpan<byte> received);

/// <summary>One step of a conversation: what the client says, and how it knows that the answer is whole.</summary>
internal sealed record Exchange(byte[] Request, AnswerLength AnswerLength)
{
    internal const int Refused = -1;

    /// <summary>Any request and any answer of fixed sizes.</summary>
    internal static Exchange OfSizes(int requestSize, int replySize) =>
        new(new byte[requestSize], received => received.Length < replySize ? 0 : replySize);
}

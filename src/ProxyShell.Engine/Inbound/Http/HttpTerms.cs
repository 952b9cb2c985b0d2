using ProxyShell.Engine.Protocols.Http;

namespace ProxyShell.Engine.Inbound.Http;

/// <summary>On which terms a request is passed on: what becomes of the heads, and how much and how long is waited for.</summary>
internal sealed record HttpTerms(HttpRewriting Rewriting, TimeProvider Time)
{
    /// <summary>How long the origin may take each time it is its turn: to take a piece of the request, or to answer when it has all.</summary>
    public TimeSpan AnswerTimeout { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>Cancelled when each client is served its last response.</summary>
    public CancellationToken Stopping { get; init; }

    /// <summary>The most bytes of data that a request's body may have.</summary>
    public long MaxBody { get; init; } = long.MaxValue;
}

using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Http;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound.Http;

/// <summary>A connection to an origin that requests go to one after another. Between requests it is watched, and closed when the origin ends it.</summary>
internal sealed class HttpUpstream(DuplexConnection connection, string name) : IAsyncDisposable
{
    private const int Working = 0, Resting = 1, Gone = 2;

    // how long an origin may take to answer an end with its own
    private static readonly TimeSpan EndTime = TimeSpan.FromSeconds(1);

    private int _state = Working;
    private Task _watching = Task.CompletedTask;

    public DuplexConnection Connection => connection;

    /// <summary>The origin in messages, for example <c>destination 192.0.2.7:80</c>.</summary>
    public string Name => name;

    public HeaderReader Reader { get; } = new(connection, HttpHead.MaxLength);

    /// <summary>Whether it has carried a request before: then the origin may end it just when the next one comes.</summary>
    public bool IsReused { get; private set; }

    /// <summary>Leaves it for the next request. Not when the origin has said more than its response: then it is of no use any more.</summary>
    public bool TryRest()
    {
        if (!Reader.Bytes.IsEmpty) return false;
        Reader.Rest();
        IsReused = true;
        Volatile.Write(ref _state, Resting);
        // ends with the connection at the latest; when a request has taken it up by then, the wait has become that for its response
        _watching = Reader.WatchAsync(_ => EndRestAsync(), CancellationToken.None);
        return true;
    }

    /// <summary>Takes it up again; false when the origin has ended it meanwhile.</summary>
    public bool TryWake() => Interlocked.CompareExchange(ref _state, Working, Resting) == Resting;

    /// <summary>
    /// Closes one that was woken for that, in order: says that no request comes any more, and waits a moment for the origin's end. Cut off, it would
    /// be a failure on the other side.
    /// </summary>
    public async Task EndAsync(TimeProvider time)
    {
        try
        {
            using var limit = new CancellationTokenSource(EndTime, time);
            await connection.CompleteWritesAsync(limit.Token).ConfigureAwait(false);
            await _watching.WaitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ProxyException or OperationCanceledException)
        {
            // gone already, or it does not care
        }
        await DisposeAsync().ConfigureAwait(false);
    }

    public ValueTask DisposeAsync()
    {
        Reader.Dispose();
        return connection.DisposeAsync();
    }

    // over before the response to the next request can be read, and so before the next rest
    private ValueTask EndRestAsync() => Interlocked.CompareExchange(ref _state, Gone, Resting) == Resting ? connection.DisposeAsync() : ValueTask.CompletedTask;
}

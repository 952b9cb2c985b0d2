using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound.Http;

/// <summary>
/// The client while its requests are forwarded: it is watched while a response is awaited, so that the origin need not work for one who has
/// broken off. An orderly end of its direction is none of that: it may still wait for the response.
/// </summary>
internal sealed class HttpClientSide(HeaderReader reader)
{
    private CancellationTokenSource? _end;
    private Task _watching = Task.CompletedTask;
    private IAbortable? _upstream;

    public HeaderReader Reader => reader;

    /// <summary>What the client did wrong, or how it broke off; null as long as it did not.</summary>
    public ProxyException? Fault { get; private set; }

    /// <summary>From now on breaks the upstream connection off when the client breaks off. What it has already sent more hides that.</summary>
    public void Watch(IAbortable upstream)
    {
        _upstream = upstream;
        if (!_watching.IsCompleted || !reader.Bytes.IsEmpty || Fault is not null) return;
        reader.Rest();
        _end ??= new CancellationTokenSource();
        _watching = reader.WatchAsync(OnEnd, _end.Token);
    }

    /// <summary>
    /// The upstream connection is no longer this client's, whatever becomes of the client. False when it is broken off already, or was not
    /// watched for: then it must not be used again.
    /// </summary>
    public bool TryRelease() => Interlocked.Exchange(ref _upstream, null) is not null;

    /// <summary>Notes what the client did wrong and breaks the upstream connection off.</summary>
    public void Blame(ProxyException error, IAbortable? upstream)
    {
        Fault = new ProxyException(error.Reason, ProxyStage.Request, "client", error.Detail, error) { Side = ProxySide.Client };
        upstream?.Abort();
    }

    /// <summary>Ends the watch for good; before that nobody else may read from the connection.</summary>
    public async ValueTask EndWatchAsync()
    {
        if (_end is null) return;
        await _end.CancelAsync().ConfigureAwait(false);
        await _watching.ConfigureAwait(false);
        _end.Dispose();
        _end = null;
    }

    private ValueTask OnEnd(ProxyException? failure)
    {
        if (failure is not null) Blame(failure, Interlocked.Exchange(ref _upstream, null));
        return ValueTask.CompletedTask;
    }
}

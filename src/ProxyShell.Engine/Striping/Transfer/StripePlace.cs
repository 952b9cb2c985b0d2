using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Striping;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>
/// A place for one stripe of a near end: connects it, keeps it for as long as it lives, and connects it again. Says so once when it cannot, not at every attempt.
/// </summary>
internal sealed class StripePlace(StripeKeeper keeper, int index) : IAsyncDisposable
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    // how long the other end has to hear that a stripe ends
    private static readonly TimeSpan LeaveTime = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stop = new();
    private readonly ReconnectBackOff _backOff = new(FirstWait, LongestWait);
    private volatile StripeLink? _link;
    private volatile PipeInstance? _pipe;
    private string? _lastError;
    private Task _running = Task.CompletedTask;

    public int Index => index;

    private StripeKeeperOptions Options => keeper.Options;

    /// <summary>Why its last attempt failed; null when it did not.</summary>
    public ProxyException? Failure { get; private set; }

    public void Start() => _running = RunAsync();

    /// <summary>Stops connecting; a stripe that is there goes on until it is ended.</summary>
    public void Stop() => _stop.Cancel();

    /// <summary>Ends the stripe, so that what is under way on it goes over the others, and the place.</summary>
    public async ValueTask DisposeAsync()
    {
        Stop();
        if (_link is { } link)
        {
            _pipe!.Set.LeaveStripe(link.Stripe);
            await _running.WaitAsync(LeaveTime, Options.Set.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            link.Stripe.Abort(new ProxyException(ProxyErrorReason.Aborted, ProxyStage.Relay, null, "the stripe is not needed any more"));
        }
        await _running.ConfigureAwait(false);
        _stop.Dispose();
    }

    public Task Completion => _running;

    public StripeInfo Describe()
    {
        StripeInfo info = _link is { } link && _pipe is { } pipe
            ? pipe.Set.Describe(link.Stripe, pipe.Id) with { LocalEndPoint = link.Connection.LocalEndPoint }
            : new StripeInfo { Pipe = "", Number = 0, State = StripeState.Connecting, Path = "" };
        return info with { Path = Options.PathOf(index), LastError = _lastError };
    }

    private async Task RunAsync()
    {
        await Task.Yield();
        while (!_stop.IsCancellationRequested)
        {
            PipeInstance pipe = keeper.Current;
            if (await TryJoinAsync(pipe).ConfigureAwait(false) is { } link)
            {
                (_pipe, _link) = (pipe, link);
                keeper.NoteJoined();
                ProxyException? why = await link.RunAsync().ConfigureAwait(false);
                _link = null;
                NoteLost(pipe, link.Stripe.Number, why);
            }
            if (!pipe.IsOver) await WaitAsync().ConfigureAwait(false);
        }
    }

    // who waits for a stripe shortens the wait, but not below the first one
    private async Task WaitAsync()
    {
        Task hurry = keeper.HurryAsync();
        await Task.Delay(FirstWait, Options.Set.Time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        TimeSpan rest = _backOff.Next() - FirstWait;
        if (rest > TimeSpan.Zero) await hurry.WaitAsync(rest, Options.Set.Time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<StripeLink?> TryJoinAsync(PipeInstance pipe)
    {
        using var limit = new CancellationTokenSource(Options.ConnectTimeout, Options.Set.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stop.Token);
        uint number = pipe.NextNumber();
        long triedAt = Options.Set.Time.GetTimestamp();
        try
        {
            StripeLink link = await JoinAsync(pipe, number, either.Token).ConfigureAwait(false);
            if (Failure is not null || number > Options.MaxCount) Options.Report($"stripe {number} of {pipe} joined over {Options.PathOf(index)}", ProxyErrorReason.None);
            Failure = null;
            _backOff.Reset();
            return link;
        }
        catch (Exception e) when (e is ProxyException or OperationCanceledException)
        {
            ProxyException failure = Explain(e, limit.IsCancellationRequested);
            if (!_stop.IsCancellationRequested && !StripeKeeper.TryEnd(pipe, failure)) NoteFailed(failure, triedAt);
            return null;
        }
    }

    private async Task<StripeLink> JoinAsync(PipeInstance pipe, uint number, CancellationToken cancellationToken)
    {
        DuplexConnection connection = await Options.Dial(index, cancellationToken).ConfigureAwait(false);
        try
        {
            long start = pipe.Set.Now;
            await new StripeHandshake(connection, Options.Key).JoinAsync(new StripeHello(pipe.Id, number, !pipe.HasBegun), cancellationToken).ConfigureAwait(false);
            // the handshake is two round trips
            var roundTrip = TimeSpan.FromMicroseconds((pipe.Set.Now - start) / 2);
            pipe.HasBegun = true;
            return new StripeLink(pipe.Set, number, connection, roundTrip);
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private ProxyException Explain(Exception e, bool isLate) => e switch
    {
        ProxyException known => known,
        _ when isLate => new ProxyException(ProxyErrorReason.TimedOut, ProxyStage.Dial, Options.PathOf(index), $"no stripe within {Options.ConnectTimeout.TotalSeconds:0.###} s", e),
        _ => new ProxyException(ProxyErrorReason.Aborted, ProxyStage.Dial, Options.PathOf(index), null, e),
    };

    private void NoteFailed(ProxyException failure, long triedAt)
    {
        bool isNews = Failure?.Message != failure.Message;
        (Failure, _lastError) = (failure, failure.Message);
        if (isNews && keeper.IsNews(this, failure)) Options.Report($"cannot connect a stripe over {Options.PathOf(index)}: {failure.Message}", failure.Reason);
        keeper.NoteFailed(failure, triedAt);
    }

    private void NoteLost(PipeInstance pipe, long number, ProxyException? why)
    {
        if (_stop.IsCancellationRequested) return;
        _lastError = why?.Message;
        if (why is not null) Options.Report($"stripe {number} of {pipe} lost: {why.Message}", why.Reason);
        else if (pipe.TryNoteEnd()) Options.Report($"the far end ended {pipe}", ProxyErrorReason.None);
    }
}

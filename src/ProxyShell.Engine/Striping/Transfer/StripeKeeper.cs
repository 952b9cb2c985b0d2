using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>The stripes of a near end: keeps as many as are wanted connected, and opens streams over them.</summary>
internal sealed class StripeKeeper : IStreamOpener, IAsyncDisposable
{
    // how long the other end has to hear that the pipe ends
    private static readonly TimeSpan FarewellTime = TimeSpan.FromSeconds(2);

    private readonly StripeKeeperOptions _options;
    private readonly Lock _gate = new();
    private readonly List<StripePlace> _places = [];
    private PipeInstance _pipe;
    private TaskCompletionSource<ProxyException?> _news = NewNews();
    private int _nextPlace;
    private bool _isStopping;

    public StripeKeeper(StripeKeeperOptions options) => (_options, _pipe) = (options, new PipeInstance(options.Set));

    /// <summary>The pipe that streams are opened in now.</summary>
    public PipeInstance Current
    {
        get
        {
            lock (_gate)
            {
                if (!_pipe.IsOver || _isStopping) return _pipe;
                _pipe.Set.Dispose();
                return _pipe = new PipeInstance(_options.Set);
            }
        }
    }

    /// <summary>How many places for stripes there are.</summary>
    public int PlaceCount
    {
        get
        {
            lock (_gate) return _places.Count;
        }
    }

    /// <summary>Begins to connect; who opens a stream before one is there waits for it.</summary>
    public void Start()
    {
        for (int i = 0; i < _options.Count; i++) AddPlace();
    }

    /// <inheritdoc/>
    public async ValueTask<DuplexConnection> OpenAsync(StreamOpening opening, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task<ProxyException?> news;
            lock (_gate) news = _news.Task;
            PipeInstance pipe = Current;
            if (pipe.Set.StripeCount > 0 && !pipe.IsOver) return pipe.Set.Open(opening);
            if (await news.WaitAsync(cancellationToken).ConfigureAwait(false) is { } failure) throw failure;
        }
    }

    /// <summary>One more stripe.</summary>
    public void AddPlace()
    {
        lock (_gate)
        {
            if (_isStopping) return;
            var place = new StripePlace(this, _options, _nextPlace++);
            _places.Add(place);
            place.Start();
        }
    }

    /// <summary>One stripe less: what was under way on it goes over the others.</summary>
    public Task RemovePlaceAsync()
    {
        StripePlace last;
        lock (_gate)
        {
            last = _places[^1];
            _places.Remove(last);
            _nextPlace--;
        }
        return last.DisposeAsync().AsTask();
    }

    public IReadOnlyList<StripeInfo> GetStripes()
    {
        lock (_gate) return [.. _places.Select(place => place.Describe())];
    }

    public void NoteJoined() => Announce(null);

    /// <summary>An attempt failed; when none of the places has a stripe or hope, those who wait are told.</summary>
    public void NoteFailed(PipeInstance pipe, ProxyException failure)
    {
        // the far end does not know this pipe: nothing of it can be saved
        if (failure is { Reason: ProxyErrorReason.ConnectionClosed, Subject: StripeHandshake.FarEnd } && pipe.HasBegun && pipe.Set.StripeCount == 0) pipe.Set.Fail(failure);
        bool isHopeless;
        lock (_gate) isHopeless = _places.TrueForAll(place => place.Failure is not null);
        if (isHopeless) Announce(failure);
    }

    /// <summary>Delivers what is under way, within the grace, tells the far end that the pipe ends, and closes the stripes.</summary>
    public async Task StopAsync(TimeSpan grace)
    {
        StripePlace[] places;
        lock (_gate)
        {
            _isStopping = true;
            places = [.. _places];
        }
        foreach (StripePlace place in places) place.Stop();
        StripeSet set = _pipe.Set;
        if (set.StripeCount > 0)
        {
            await set.DrainAsync().WaitAsync(grace, _options.Set.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            set.SayGoodbye();
            await Task.WhenAll(places.Select(place => place.Completion)).WaitAsync(FarewellTime, _options.Set.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        set.Dispose();
        await Task.WhenAll(places.Select(place => place.DisposeAsync().AsTask())).ConfigureAwait(false);
        Announce(new ProxyException(ProxyErrorReason.Stopping, ProxyStage.Dial));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync(TimeSpan.Zero).ConfigureAwait(false);

    private void Announce(ProxyException? news)
    {
        TaskCompletionSource<ProxyException?> told;
        lock (_gate) (told, _news) = (_news, NewNews());
        told.TrySetResult(news);
    }

    private static TaskCompletionSource<ProxyException?> NewNews() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>The stripes of a near end: keeps as many as are wanted connected, and opens streams over them.</summary>
internal sealed class StripeKeeper : IStreamOpener, IAsyncDisposable
{
    // how long the other end has to hear that the pipe ends
    private static readonly TimeSpan FarewellTime = TimeSpan.FromSeconds(2);

    private volatile StripeKeeperOptions _options;
    private readonly Lock _gate = new();
    private readonly List<StripePlace> _places = [];
    private PipeInstance _pipe;
    private TaskCompletionSource<StripeNews> _news = NewNews();
    private volatile TaskCompletionSource _hurry = NewHurry();
    private int _nextPlace;
    private readonly StripeTuner _tuner = new();
    private ITimer? _tuning;
    private bool _isStarted;
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

    public StripeKeeperOptions Options => _options;

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
        _isStarted = true;
        Use(_options);
    }

    /// <summary>Goes by other options from now on: stripes are added or taken away until there are as many as they say.</summary>
    public void Use(StripeKeeperOptions options)
    {
        _options = options;
        Current.Set.Use(options.Set);
        if (!_isStarted) return;
        while (PlaceCount < options.Count) AddPlace();
        while (PlaceCount > options.MaxCount) _ = RemovePlaceAsync();
        if (options.MaxCount > options.Count) _tuning ??= options.Set.Time.CreateTimer(static keeper => ((StripeKeeper)keeper!).Tune(), this, StripeTuner.Interval, StripeTuner.Interval);
    }

    /// <inheritdoc/>
    public async ValueTask<DuplexConnection> OpenAsync(StreamOpening opening, CancellationToken cancellationToken)
    {
        long since = _options.Set.Time.GetTimestamp();
        while (true)
        {
            Task<StripeNews> next;
            lock (_gate) next = _news.Task;
            PipeInstance pipe = Current;
            if (pipe.Set.StripeCount > 0 && !pipe.IsOver) return pipe.Set.Open(opening);
            _hurry.TrySetResult();
            StripeNews news = await next.WaitAsync(cancellationToken).ConfigureAwait(false);
            // what was tried before says nothing about now
            if (news.Failure is not null && news.TriedAt >= since) throw news.Failure;
        }
    }

    /// <summary>One more stripe.</summary>
    public void AddPlace()
    {
        lock (_gate)
        {
            var place = new StripePlace(this, _nextPlace++);
            if (_isStopping) place.Stop();
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

    public void NoteJoined() => Announce(default);

    /// <summary>Completes when somebody waits for a stripe.</summary>
    public Task HurryAsync()
    {
        if (_hurry.Task.IsCompleted) _hurry = NewHurry();
        return _hurry.Task;
    }

    /// <summary>Whether no other place has failed for the same reason.</summary>
    public bool IsNews(StripePlace from, ProxyException failure)
    {
        lock (_gate) return !_places.Exists(place => place != from && place.Failure?.Message == failure.Message);
    }

    /// <summary>Whether the failure says that the far end does not know the pipe: nothing of it can be saved, and the next one begins.</summary>
    public static bool TryEnd(PipeInstance pipe, ProxyException failure)
    {
        if (failure is not { Reason: ProxyErrorReason.ConnectionClosed, Subject: StripeHandshake.FarEnd } || !pipe.HasBegun) return false;
        pipe.Set.Fail(failure);
        return true;
    }

    /// <summary>An attempt failed; when none of the places has a stripe or hope, those who wait are told.</summary>
    public void NoteFailed(ProxyException failure, long triedAt)
    {
        bool isHopeless;
        lock (_gate) isHopeless = _places.TrueForAll(place => place.Failure is not null);
        if (isHopeless) Announce(new StripeNews(failure, triedAt));
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
        _tuning?.Dispose();
        StripeSet set = _pipe.Set;
        if (set.StripeCount > 0)
        {
            await set.DrainAsync().WaitAsync(grace, _options.Set.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            set.SayGoodbye();
            await Task.WhenAll(places.Select(place => place.Completion)).WaitAsync(FarewellTime, _options.Set.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        set.Dispose();
        await Task.WhenAll(places.Select(place => place.DisposeAsync().AsTask())).ConfigureAwait(false);
        Announce(new StripeNews(new ProxyException(ProxyErrorReason.Stopping, ProxyStage.Dial), long.MaxValue));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync(TimeSpan.Zero).ConfigureAwait(false);

    private void Tune()
    {
        StripeKeeperOptions options = _options;
        int change = _tuner.Decide(Current.Set.Moved, PlaceCount, options.Count, options.MaxCount);
        if (change == 0) return;
        if (change > 0) AddPlace();
        else _ = RemovePlaceAsync();
        options.Report($"{(change > 0 ? "trying" : "back to")} {PlaceCount} stripes", ProxyErrorReason.None);
    }

    private void Announce(StripeNews news)
    {
        TaskCompletionSource<StripeNews> told;
        lock (_gate) (told, _news) = (_news, NewNews());
        told.TrySetResult(news);
    }

    private static TaskCompletionSource<StripeNews> NewNews() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static TaskCompletionSource NewHurry() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A stripe joined, or all places failed, the last after an attempt that began then.</summary>
    private readonly record struct StripeNews(ProxyException? Failure, long TriedAt);
}

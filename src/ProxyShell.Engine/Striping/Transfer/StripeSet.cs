using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>
/// The state of a striped pipe at one end: its streams, its stripes and what is under way on them. It does no I/O: writers <see cref="Take"/> what their stripe is to
/// write, readers hand over what came by a <see cref="StripeParser"/>, and whoever brings the connections adds and removes stripes. docs/protocols/striping.md.
/// </summary>
/// <remarks>
/// One lock, held for one step at a time and never over I/O or while somebody is woken: who has to go on is noted, and woken when the lock is released
/// (<see cref="Section"/>). Everything sent that must arrive is an <see cref="OutFrame"/>, which is kept until the other end has told that it came; what was under
/// way on a stripe that is removed goes over the others again. The other end knows each frame by its stream and offset, so that what comes twice is dropped.
/// </remarks>
internal sealed partial class StripeSet : IDisposable
{
    /// <summary>The window that every stream begins with; both ends know it.</summary>
    public const long FirstWindow = 256 * 1024;

    // what all windows together may come to, in windows of full size
    private const int MostFullWindows = 16;

    private readonly Lock _gate = new();
    private volatile StripeSetOptions _options;
    private readonly List<Stripe> _stripes = [];
    private readonly StripeScheduler _scheduler;
    private readonly Dictionary<long, StripedStream> _streams = [];
    private readonly IdRanges _seen = new();
    private readonly IdRanges _numbers = new();
    private readonly TaskCompletionSource<ProxyException?> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Stack<List<IWake>> _lists = new();
    private readonly bool _isNear;
    private List<IWake> _due = [];
    private ProxyException? _failure;
    private TaskCompletionSource? _drained;
    private TaskCompletionSource? _emptied;
    private long _moved;
    private long _lastId;
    private long _windows;
    private bool _hasChanged;

    public StripeSet(StripeSetOptions options, bool isNear)
    {
        (_options, _isNear) = (options, isNear);
        _scheduler = new StripeScheduler(_stripes);
        _aloneSince = Now;
        _timer = options.Time.CreateTimer(static set => ((StripeSet)set!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        WakeBy(_aloneSince + Microseconds(options.ReconnectTimeout));
    }

    /// <summary>Called, outside the lock, for each stream that the other end has opened.</summary>
    public Action<StripedStream>? Opened { get; init; }

    /// <summary>The loop that all of its stripes live on that may live on one; null when none may.</summary>
    public EpollLoop? Loop { get; private set; }

    /// <summary>Completes when the set has ended, with the reason; null after an orderly end.</summary>
    public Task<ProxyException?> Completion => _completion.Task;

    /// <summary>The clock, in microseconds.</summary>
    public long Now => (long)(_options.Time.GetTimestamp() * (1e6 / _options.Time.TimestampFrequency));

    /// <summary>Goes by other times from now on, and by another window for streams that grow from now on.</summary>
    public void Use(StripeSetOptions options) => _options = options;

    /// <summary>How many streams are open.</summary>
    public int StreamCount
    {
        get
        {
            lock (_gate) return _streams.Count;
        }
    }

    /// <summary>Bytes that stripes have carried, both ways and with their frames.</summary>
    public long Moved => Interlocked.Read(ref _moved);

    /// <summary>How many stripes there are.</summary>
    public int StripeCount
    {
        get
        {
            lock (_gate) return _stripes.Count;
        }
    }

    /// <summary>Opens a stream; the other end learns of it with the first bytes, or at once when a stripe is idle.</summary>
    /// <exception cref="ProxyException">The set has ended.</exception>
    public StripedStream Open(StreamOpening opening)
    {
        using Section section = Enter();
        if (_failure is not null) throw _failure;
        StripedStream stream = Add(++_lastId);
        stream.Opening = opening;
        TellOpening(stream);
        return stream;
    }

    /// <summary>Ends the set: all streams fail with the reason, stripes are told it as far as that is possible now.</summary>
    public void Fail(ProxyException? why)
    {
        using Section section = Enter();
        End(why);
    }

    /// <summary>Completes when everything written so far has arrived, or the set has ended.</summary>
    public Task DrainAsync()
    {
        using Section section = Enter();
        if (IsQuiet || _failure is not null) return Task.CompletedTask;
        _drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _drained.Task;
    }

    /// <summary>Completes when there is no stream, and everything has arrived, or the set has ended.</summary>
    public Task EmptyAsync()
    {
        using Section section = Enter();
        if (IsEmpty || _failure is not null) return Task.CompletedTask;
        _emptied ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _emptied.Task;
    }

    public void Dispose()
    {
        Fail(null);
        _timer.Dispose();
    }

    private bool IsEmpty => _streams.Count == 0 && IsQuiet;

    private bool IsQuiet => _control.Count == 0 && _resend.Count == 0 && _small.Count == 0 && _large.Count == 0 && _stripes.TrueForAll(stripe => stripe.Sent.Count == 0);

    private void End(ProxyException? why)
    {
        if (_failure is not null) return;
        _failure = why ?? new ProxyException(ProxyErrorReason.ConnectionClosed, ProxyStage.Relay, null, "the pipe has ended");
        foreach (StripedStream stream in _streams.Values.ToList()) Fail(stream, _failure);
        foreach (Stripe stripe in _stripes) _due.Add(new StripeEnd(stripe, _failure));
        while (_resend.TryDequeue(out OutFrame? frame)) frame.Release();
        while (_control.TryDequeue(out OutFrame? frame)) frame.Release();
        _drained?.TrySetResult();
        _emptied?.TrySetResult();
        _completion.TrySetResult(why);
    }

    private StripedStream Add(long id)
    {
        var stream = new StripedStream(this, id, FirstWindow);
        _windows += FirstWindow;
        _streams.Add(id, stream);
        return stream;
    }

    // what is left of it in other hands does no harm: frames that still come for it are dropped
    private void Retire(StripedStream stream)
    {
        if (!stream.IsOver || !_streams.Remove(stream.Id)) return;
        _windows -= stream.Window;
    }

    private Section Enter()
    {
        _gate.Enter();
        return new Section(this);
    }

    private void Leave()
    {
        if (_hasChanged && _failure is null) Pump();
        _hasChanged = false;
        if (_drained is not null && IsQuiet) _drained.TrySetResult();
        if (_emptied is not null && IsEmpty) _emptied.TrySetResult();
        List<IWake>? due = null;
        if (_due.Count > 0) (due, _due) = (_due, _lists.TryPop(out List<IWake>? spare) ? spare : []);
        _gate.Exit();
        if (due is null) return;
        foreach (IWake wake in due) wake.Wake();
        due.Clear();
        lock (_gate) _lists.Push(due);
    }

    private static long Microseconds(TimeSpan time) => time == Timeout.InfiniteTimeSpan ? long.MaxValue / 2 : time.Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>The lock, and what is to be done when it is released.</summary>
    private readonly ref struct Section(StripeSet set)
    {
        public void Dispose() => set.Leave();
    }
}

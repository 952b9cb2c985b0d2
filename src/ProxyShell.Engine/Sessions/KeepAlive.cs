using System.Text;
using ProxyShell.Engine.Protocols.Multiplexing;

namespace ProxyShell.Engine.Sessions;

/// <summary>
/// Notices a peer that is gone. The protocol has no ping, so a silent peer is offered a channel of a reserved name that is withdrawn in the same
/// breath, to which it answers with the channel's end. Not all makes of peers answer that: only one that has answered before counts as dead when it
/// does not. docs/protocols/multiplexing.md, "Keep-alive".
/// </summary>
internal sealed class KeepAlive(MultiplexedSession session, SessionOptions options)
{
    /// <summary>The name of a channel that is never accepted.</summary>
    public const string ProbeName = "proxyshell.probe";

    private static readonly byte[] ProbeWords = Encoding.ASCII.GetBytes(ProbeName);

    // a timer may fire a little early
    private static readonly TimeSpan Soonest = TimeSpan.FromMilliseconds(1);

    private readonly Lock _gate = new();
    private ITimer? _timer;
    private long _lastLife = options.Time.GetTimestamp();
    private long _probedAt;
    private ChannelId _probe;
    private bool _isAsked;
    private volatile bool _isPaused;

    /// <summary>How many probes the peer has answered.</summary>
    public int Answers { get; private set; }

    /// <summary>Whether the last probe was not answered yet.</summary>
    public bool IsProbing
    {
        get
        {
            lock (_gate) return _isAsked;
        }
    }

    private TimeSpan Silence => options.Time.GetElapsedTime(Volatile.Read(ref _lastLife));

    public void Start()
    {
        // without windows a peer may have to stop reading, and answers late
        if (options.KeepAlive == Timeout.InfiniteTimeSpan || options.Version == MultiplexingVersion.V1) return;
        // the first answer tells whether this peer gives one at all, and the round trip
        Probe();
        lock (_gate) _timer = options.Time.CreateTimer(static self => ((KeepAlive)self!).Look(), this, options.KeepAlive / 2, Timeout.InfiniteTimeSpan);
        if (session.Completion.IsCompleted) Stop();
    }

    public void Stop()
    {
        lock (_gate) _timer?.Dispose();
    }

    /// <summary>Something came from the peer.</summary>
    public void NoteLife()
    {
        Volatile.Write(ref _lastLife, options.Time.GetTimestamp());
        _isPaused = false;
    }

    /// <summary>This side does not read now, so that silence says nothing.</summary>
    public void Pause() => _isPaused = true;

    /// <summary>The peer has closed a channel that there is not: it may be the probe.</summary>
    public void NoteAnswer(ChannelId id)
    {
        lock (_gate)
        {
            if (!_isAsked || id != _probe) return;
            _isAsked = false;
            Answers++;
            session.NoteRoundTrip(_probedAt);
        }
    }

    private void Look()
    {
        TimeSpan silence = _isPaused ? TimeSpan.Zero : Silence;
        bool isDead, asks;
        lock (_gate)
        {
            isDead = Answers > 0 && _isAsked && silence >= options.KeepAlive;
            asks = !_isAsked && silence >= options.KeepAlive / 2;
        }
        if (isDead)
        {
            session.Lose(silence);
            return;
        }
        if (asks) Probe();
        LookAgain(silence);
    }

    // when there may be something to do next, and not before
    private void LookAgain(TimeSpan silence)
    {
        lock (_gate)
        {
            TimeSpan due = (_isAsked ? options.KeepAlive : options.KeepAlive / 2) - silence;
            // a peer that never answers is looked at now and then
            _timer?.Change(due > Soonest ? due : due > TimeSpan.Zero ? Soonest : options.KeepAlive / 4, Timeout.InfiniteTimeSpan);
        }
    }

    private void Probe()
    {
        ChannelId id = session.NextProbe();
        lock (_gate) (_probe, _probedAt, _isAsked) = (id, options.Time.GetTimestamp(), true);
        session.SendProbe(id, ProbeWords);
    }
}

using System.Threading.Tasks.Sources;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>
/// One connection of a stripe set, as the set sees it. Everything but what its writer awaits is touched under the set's lock only.
/// </summary>
internal sealed class Stripe(long number, Action<ProxyException> abort, bool isDirect, StripeMeter meter, long now) : IValueTaskSource, IWake
{
    private ManualResetValueTaskSourceCore<bool> _wake = new() { RunContinuationsAsynchronously = !isDirect };

    /// <summary>Its number in the pipe; none is used twice.</summary>
    public long Number => number;

    public StripeMeter Meter => meter;

    public StripeState State { get; set; } = StripeState.Active;

    /// <summary>Whether what is under way on it, stalled, goes over the others too.</summary>
    public bool WasSentAgain { get; set; }

    /// <summary>Frames under way, oldest first.</summary>
    public Queue<SentFrame> Sent { get; } = new();

    /// <summary>How many numbered frames the other end has told of.</summary>
    public long Acknowledged { get; set; }

    /// <summary>Bytes under way.</summary>
    public long InFlight { get; set; }

    /// <summary>When last something that was under way arrived, or the first of what is under way left.</summary>
    public long MovedAt { get; set; } = now;

    /// <summary>Numbered frames that came.</summary>
    public long Received { get; set; }

    /// <summary>Frames with bytes of streams that the other end was not told of yet.</summary>
    public int Untold { get; set; }

    /// <summary>When the newest of these came.</summary>
    public long NewestAt { get; set; }

    /// <summary>When they have to be told of; <see cref="long.MaxValue"/> when there are none.</summary>
    public long AckBy { get; set; } = long.MaxValue;

    /// <summary>When last anything came.</summary>
    public long HeardAt { get; set; } = now;

    public bool IsPingDue { get; set; }

    /// <summary>When the first ping left since which nothing came; 0 when there is none.</summary>
    public long PingedAt { get; set; }

    public long? PongDue { get; set; }

    /// <summary>Whether the writer waits for something to write.</summary>
    public bool IsIdle { get; set; }

    /// <summary>Bytes of frames that had gone by another stripe before, and left by this one again.</summary>
    public long Resent { get; set; }

    public long BytesOut { get; set; }

    public long BytesIn { get; set; }

    public bool IsGone => State == StripeState.Closed;

    /// <summary>Whether writing to it is a system call at most.</summary>
    public bool IsDirect => isDirect;

    /// <summary>Whether the other end is to be told that the pipe ends, and nothing after that.</summary>
    public bool IsGoodbyeDue { get; set; }

    /// <summary>Whether the other end is to be told that the stripe ends, and nothing after that.</summary>
    public bool IsLeaveDue { get; set; }

    /// <summary>Whether one of the ends has told the other that it, or the pipe, ends: what then happens to the connection is no failure.</summary>
    public bool EndsInOrder { get; set; }

    /// <summary>Whether there is nothing more to write.</summary>
    public bool HasFinished { get; set; }

    /// <summary>Where frames are put that go out together.</summary>
    public byte[]? Batch { get; set; }

    /// <summary>Completes when there may be something to write.</summary>
    public ValueTask WaitAsync() => new(this, _wake.Version);

    /// <summary>Lets the writer go on, which had been idle.</summary>
    public void Wake() => _wake.SetResult(true);

    /// <summary>Ends the connection; what reads and writes it fails.</summary>
    public void Abort(ProxyException why) => abort(why);

    void IValueTaskSource.GetResult(short token)
    {
        _wake.GetResult(token);
        _wake.Reset();
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _wake.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wake.OnCompleted(continuation, state, token, flags);
}

using System.Net;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;
using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>
/// One stream of a stripe set: its bytes go over whichever stripes deliver them soonest and are put in order at the other end. It has a window of its own, so that
/// nobody who does not read holds up others.
/// </summary>
internal sealed class StripedStream(StripeSet set, long id, long window) : DuplexConnection, IWake
{
    /// <summary>Its number; none is used twice.</summary>
    public long Id => id;

    /// <summary>What the near end told of it; null before that came.</summary>
    public StreamOpening? Opening { get; set; }

    /// <summary>How far the other end may send ahead of the reader.</summary>
    public long Window { get; set; } = window;

    /// <summary>How far the other end may send, as it was told.</summary>
    public long Limit { get; set; } = window;

    /// <summary>The limit that the last widening of the window gave; lower ones are from before.</summary>
    public long WidenedFrom { get; set; }

    /// <summary>What was given to stripes.</summary>
    public long SentOffset { get; set; }

    /// <summary>How far this end may send.</summary>
    public long SendLimit { get; set; } = StripeSet.FirstWindow;

    /// <summary>The limit for which the other end was told that it is too little.</summary>
    public long BlockedAt { get; set; }

    public bool IsEndWanted { get; set; }

    public bool IsEndSent { get; set; }

    public bool IsQueued { get; set; }

    public bool IsWindowDue { get; set; }

    /// <summary>Whether what still comes is thrown away, since the reader has gone.</summary>
    public bool IsDiscarding { get; set; }

    public ProxyException? Failure { get; set; }

    public bool IsBroken => Failure is not null;

    /// <summary>Who is told when it breaks.</summary>
    public IBreakListener? Listener { get; set; }

    public PendingWrite Writing { get; } = new();

    public PendingRead Reading { get; } = new();

    public Reassembly Incoming { get; } = new();

    /// <summary>Whether it has something for a stripe to take.</summary>
    public bool HasTurn => !IsBroken && (Writing.Length > 0 ? SentOffset < SendLimit : IsEndWanted && !IsEndSent);

    /// <summary>Whether nothing more can happen on it.</summary>
    public bool IsOver => IsBroken || (IsEndSent && Incoming.IsComplete && Incoming.Ready == 0);

    /// <inheritdoc/>
    public override EndPoint? LocalEndPoint => null;

    /// <summary>The client of the near end, when it told of one.</summary>
    public override EndPoint? RemoteEndPoint => Opening?.Client;

    internal override EpollLoop? Loop => set.Loop;

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
        ValueTask written = set.Write(this, buffer);
        if (cancellationToken.CanBeCanceled && !written.IsCompleted)
            Writing.Arm(cancellationToken.UnsafeRegister(static (stream, token) => ((StripedStream)stream!).CancelWrite(token), this));
        return written;
    }

    /// <inheritdoc/>
    public override ValueTask CompleteWritesAsync(CancellationToken cancellationToken)
    {
        set.End(this);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public override void Abort() => Abort(new ProxyException(ProxyErrorReason.ConnectionReset, ProxyStage.Relay, null, "the stream was aborted"));

    /// <summary>Ends both directions at once, and tells the other end why.</summary>
    public override void Abort(ProxyException why) => set.Break(this, why);

    /// <summary>Closes the stream: if its end was asked for, what was written is still delivered; what was not read is lost.</summary>
    public override ValueTask DisposeAsync()
    {
        set.Close(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>For example <c>stream 3</c>.</summary>
    public override string ToString() => $"stream {id}";

    internal override void TellWhenBroken(IBreakListener listener) => set.TellWhenBroken(this, listener);

    // reading and writing is copying; stripes that cost more than that are written to by others
    internal override void ContinueOn(EpollLoop loop)
    {
        Writing.ContinueDirectly();
        Reading.ContinueDirectly();
    }

    /// <summary>The other end has opened it.</summary>
    void IWake.Wake() => set.Opened?.Invoke(this);

    /// <inheritdoc/>
    protected override ValueTask<int> ReadCoreAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled<int>(cancellationToken);
        ValueTask<int> read = set.Read(this, buffer);
        if (cancellationToken.CanBeCanceled && !read.IsCompleted)
            Reading.Arm(cancellationToken.UnsafeRegister(static (stream, token) => ((StripedStream)stream!).CancelRead(token), this));
        return read;
    }

    private void CancelWrite(CancellationToken token) => set.Withdraw(this, new OperationCanceledException(token), ofWrite: true);

    private void CancelRead(CancellationToken token) => set.Withdraw(this, new OperationCanceledException(token), ofWrite: false);
}

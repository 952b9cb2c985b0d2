using System.Net;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Multiplexing;
using ProxyShell.Engine.Transport;
using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Sessions;

/// <summary>
/// One stream of a <see cref="MultiplexedSession"/>. A write waits for room in the peer's window, and before that for the peer to accept the
/// channel. When both directions have ended the channel is closed by itself.
/// </summary>
public sealed class SessionChannel : DuplexConnection
{
    private readonly TaskCompletionSource _acceptance = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IBreakListener? _listener;
    private ProxyException? _break;

    internal SessionChannel(MultiplexedSession session, ChannelId id, string name, ReceiveWindow? window)
    {
        (Session, Id, Name) = (session, id, name);
        Incoming = new ReceiveQueue(this, window);
        Sender = new ChannelSender(this, window is not null);
    }

    /// <summary>The session this channel belongs to.</summary>
    public MultiplexedSession Session { get; }

    /// <summary>What the protocol knows it by.</summary>
    public ChannelId Id { get; }

    /// <summary>The name it was offered by; empty when it is anonymous or seeded.</summary>
    public string Name { get; }

    /// <summary>Completes when the channel is accepted, on whichever side; fails when it is rejected, withdrawn, or cut off before.</summary>
    public Task Acceptance => _acceptance.Task;

    /// <summary>How many bytes the peer may send ahead of this side's reader now; 0 in version 1, and while the channel is not accepted here.</summary>
    public long Window => Incoming.WindowSize;

    /// <summary>The session's address.</summary>
    public override EndPoint? LocalEndPoint => Session.LocalEndPoint;

    /// <summary>The session's peer.</summary>
    public override EndPoint? RemoteEndPoint => Session.RemoteEndPoint;

    internal ReceiveQueue Incoming { get; }

    internal ChannelSender Sender { get; }

    internal bool PeerGrows => Session.PeerGrows;

    /// <summary>The window that the peer's offer told of.</summary>
    internal long OfferedWindow { get; init; }

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
        ValueTask written;
        bool wakes;
        lock (Session.Outbox.Gate)
        {
            written = Sender.Write(buffer);
            wakes = Session.Outbox.Enqueue(Sender);
        }
        if (wakes) Session.Outbox.Wake(buffer.Length <= Outbox.SmallWrite);
        // nobody awaits it yet, so it is still this write's if it is not complete
        if (cancellationToken.CanBeCanceled && !written.IsCompleted)
            Sender.Arm(cancellationToken.UnsafeRegister(static (channel, token) => ((SessionChannel)channel!).Withdraw(new OperationCanceledException(token)), this));
        return written;
    }

    /// <inheritdoc/>
    public override ValueTask CompleteWritesAsync(CancellationToken cancellationToken)
    {
        bool wakes;
        lock (Session.Outbox.Gate)
        {
            Sender.End();
            wakes = Session.Outbox.Enqueue(Sender);
        }
        if (wakes) Session.Outbox.Wake(little: true);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public override void Abort() => Abort(SessionFault.Of(ProxyErrorReason.ConnectionReset, "the channel was aborted"));

    /// <summary>Ends both directions at once, and tells the peer why (versions 2 and 3).</summary>
    public override void Abort(ProxyException why) => Session.Terminate(this, why, Farewell.Error);

    /// <summary>Closes the channel: what was written is still delivered, then the end; what was not read is lost.</summary>
    public override ValueTask DisposeAsync()
    {
        Session.Terminate(this, SessionFault.Of(ProxyErrorReason.ConnectionReset, "the channel is closed"), Farewell.Orderly);
        return ValueTask.CompletedTask;
    }

    /// <summary>For example <c>channel 3 'web' of 127.0.0.1:4100</c>.</summary>
    public override string ToString() => $"channel {Id}{(Name.Length > 0 ? $" '{Name}'" : "")} of {RemoteEndPoint}";

    internal override EpollLoop? Loop => Session.Loop;

    // on the session's loop: it is there that a channel becomes ready
    internal override void ContinueOn(EpollLoop loop)
    {
        Incoming.ContinueOnLoop();
        Sender.ContinueOnLoop();
    }

    internal override ValueTask<int> WaitCoreAsync(IOutlet outlet) => Incoming.ReadAsync(Memory<byte>.Empty, outlet, CancellationToken.None);

    internal void Tell(Grant grant)
    {
        if (grant.IsEmpty) return;
        bool wakes;
        lock (Session.Outbox.Gate)
        {
            Sender.Tell(grant);
            wakes = Session.Outbox.Enqueue(Sender);
        }
        if (wakes) Session.Outbox.Wake(little: true);
    }

    internal override void TellWhenBroken(IBreakListener listener)
    {
        Interlocked.Exchange(ref _listener, listener);
        if (Volatile.Read(ref _break) is not null) TellOfBreak();
    }

    // the peer or the session broke it off; what has ended in order is not broken
    internal void NoteBreak(ProxyException why)
    {
        if (Incoming.HasEnded) return;
        if (Interlocked.CompareExchange(ref _break, why, null) is null) TellOfBreak();
    }

    internal void NoteAccepted() => _acceptance.TrySetResult();

    internal void NoteRefused(ProxyException error)
    {
        // whoever does not wait for the acceptance need not look at its failure
        if (_acceptance.TrySetException(error)) _ = _acceptance.Task.Exception;
    }

    /// <inheritdoc/>
    protected override ValueTask<int> ReadCoreAsync(Memory<byte> buffer, CancellationToken cancellationToken) => Incoming.ReadAsync(buffer, null, cancellationToken);

    private void TellOfBreak() => Interlocked.Exchange(ref _listener, null)?.OnBroken(this, _break!);

    private void Withdraw(Exception error)
    {
        lock (Session.Outbox.Gate) Sender.Withdraw(error);
    }
}

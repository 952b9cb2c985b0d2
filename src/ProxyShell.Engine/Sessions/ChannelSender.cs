using System.Threading.Tasks.Sources;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Multiplexing;

namespace ProxyShell.Engine.Sessions;

/// <summary>
/// A channel's way out: the write under way, what else is due, and the peer's window. All of it is touched under the lock of the
/// <see cref="Outbox"/> only, which gives the channel its turns. The bytes of a write stay the caller's until a turn has copied them.
/// </summary>
internal sealed class ChannelSender(SessionChannel channel, bool hasWindows) : IValueTaskSource
{
    private readonly SendWindow _window = new(hasWindows);
    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _registration;
    private ReadOnlyMemory<byte> _content;
    private DueFrames _due;
    private byte[] _words = [];
    private long _acceptedWindow;
    private long _processed;
    private long _receiveWindow;
    private bool _isWriting;
    private bool _endsSoon;
    private bool _endIsSaid;
    private bool _peerHasEnded;
    private ProxyException? _failure;

    public SessionChannel Channel => channel;

    /// <summary>The next in the line for a turn.</summary>
    public ChannelSender? Next { get; set; }

    /// <summary>Whether it stands in a line.</summary>
    public bool IsQueued { get; set; }

    /// <summary>Whether the last word on the channel was said; then it says nothing more.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Whether the peer may already know of the channel.</summary>
    public bool IsKnown => (_due & DueFrames.Offer) == 0;

    /// <summary>Whether both sides have agreed to the channel.</summary>
    public bool IsOpen => _window.IsOpen;

    /// <summary>Whether the write under way was sent in this turn, and <see cref="Complete"/> has to follow.</summary>
    public bool HasWritten { get; private set; }

    public bool IsSmall => _content.Length <= Outbox.SmallWrite;

    /// <summary>Whether a turn would say anything.</summary>
    public bool HasTurn => !IsClosed && ((_due & ~DueFrames.End) != 0 || (_content.IsEmpty ? (_due & DueFrames.End) != 0 : Sendable > 0));

    private long Sendable => _window.Allowed(_content.Length);

    public void Offer(byte[] name, long window)
    {
        (_words, _receiveWindow) = (name, window);
        _due |= DueFrames.Offer;
    }

    /// <summary>The peer's window is known: content may flow.</summary>
    public void Open(long window)
    {
        _window.Open(window);
        NoteStall();
    }

    /// <summary>Accepts the peer's offer, with this side's window; false when it is decided already.</summary>
    public bool TryAccept(long window, long peerWindow)
    {
        if (IsClosed || IsOpen || (_due & DueFrames.Termination) != 0) return false;
        _acceptedWindow = window;
        _due |= DueFrames.Acceptance;
        Open(peerWindow);
        return true;
    }

    public ValueTask Write(ReadOnlyMemory<byte> content)
    {
        if (_failure is not null) return ValueTask.FromException(_failure);
        if (_isWriting) throw new InvalidOperationException("A write is under way already.");
        if (_endsSoon || IsClosed) throw new InvalidOperationException("This direction has ended.");
        if (content.IsEmpty) return ValueTask.CompletedTask;
        (_content, _isWriting) = (content, true);
        _core.Reset();
        NoteStall();
        return new ValueTask(this, _core.Version);
    }

    /// <summary>The write is done; to be called without the lock.</summary>
    public void Complete()
    {
        HasWritten = false;
        _core.SetResult(true);
    }

    /// <summary>From now on who writes goes on on the thread of the session's loop.</summary>
    public void ContinueOnLoop() => _core.RunContinuationsAsynchronously = false;

    public void Arm(CancellationTokenRegistration registration) => _registration = registration;

    /// <summary>Takes back what was not sent yet of the write under way.</summary>
    public void Withdraw(Exception error)
    {
        if (!_isWriting) return;
        (_content, _isWriting) = (default, false);
        _core.SetException(error);
    }

    public void End()
    {
        if (_failure is not null) throw _failure;
        if (_endsSoon || IsClosed) return;
        _endsSoon = true;
        _due |= DueFrames.End;
    }

    public void PeerEnded()
    {
        _peerHasEnded = true;
        if (_endIsSaid) _due |= DueFrames.Termination;
    }

    /// <summary>The peer takes no more content: this direction has ended with a failure, the other one lives on.</summary>
    public void StopWrites(ProxyException failure)
    {
        if (_endsSoon || _failure is not null) return;
        End();
        _failure = failure;
        Withdraw(failure);
    }

    /// <summary>Fails what is under way and says the last word. Returns whether the channel was closed before the peer ever heard of it.</summary>
    public bool Terminate(ProxyException failure, Farewell how)
    {
        // what has ended in order has not failed
        if (!_endIsSaid) _failure ??= failure;
        Withdraw(failure);
        if (IsClosed || (_due & DueFrames.Termination) != 0 && how != Farewell.Echo) return false;
        if (!IsKnown) return IsClosed = true;
        bool isOrderly = how == Farewell.Orderly && IsOpen;
        if (isOrderly && !_endIsSaid) _due |= DueFrames.End;
        _due = (isOrderly ? _due & (DueFrames.Acceptance | DueFrames.End) : DueFrames.None) | DueFrames.Termination;
        _words = how == Farewell.Error ? ControlPayload.ErrorBytes(SessionFault.Text(failure)) : [];
        return false;
    }

    /// <summary>The session is over: nothing can be said any more.</summary>
    public void Fail(ProxyException failure)
    {
        _failure ??= failure;
        IsClosed = true;
        Withdraw(_failure);
    }

    public void Tell(Grant grant)
    {
        if (grant.Bytes > 0) (_processed, _due) = (_processed + grant.Bytes, _due | DueFrames.Processed);
        if (grant.Window > 0) (_receiveWindow, _due) = (grant.Window, _due | DueFrames.Window);
    }

    /// <summary>So many bytes have left the peer's window; false when it never held that many.</summary>
    public bool TryAcknowledge(long bytes) => _window.TryAcknowledge(bytes);

    /// <summary>The peer's answer to a request for a larger window, or its own idea.</summary>
    public void Adjust(long window) => _window.Adjust(window);

    /// <summary>Says what is due, and at most one frame of content.</summary>
    public void TakeTurn(ref FrameWriter writer)
    {
        ChannelId id = channel.Id;
        if (Due(DueFrames.Offer)) SayOffer(ref writer);
        if (Due(DueFrames.Acceptance)) writer.Accept(id, _acceptedWindow);
        if (Due(DueFrames.Processed)) TellProcessed(ref writer);
        if (Due(DueFrames.Window)) writer.Count(FrameCode.ChannelWindowAdjust, id, _receiveWindow);
        SendContent(ref writer);
        if (Due(DueFrames.GrowthRequest)) writer.Plain(FrameCode.ChannelWindowGrowthRequest, id);
        if (_content.IsEmpty && Due(DueFrames.End)) SayEnd(ref writer);
        if (_content.IsEmpty && Due(DueFrames.Termination)) SayLast(ref writer);
    }

    void IValueTaskSource.GetResult(short token)
    {
        _registration.Dispose();
        _registration = default;
        _core.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private bool Due(DueFrames what)
    {
        bool due = (_due & what) != 0;
        _due &= ~what;
        return due;
    }

    private void SayOffer(ref FrameWriter writer)
    {
        writer.Offer(channel.Id, _words, _receiveWindow);
        _words = [];
    }

    private void TellProcessed(ref FrameWriter writer)
    {
        // who has ended needs no more room
        if (!_peerHasEnded) writer.Count(FrameCode.ContentProcessed, channel.Id, _processed);
        _processed = 0;
    }

    private void SendContent(ref FrameWriter writer)
    {
        int count = (int)Math.Min(Sendable, FrameCodec.MaxPayload);
        if (count <= 0) return;
        writer.Content(channel.Id, _content.Span[..count]);
        channel.Session.CountSent(count);
        _content = _content[count..];
        _window.NoteSent(count);
        if (_content.IsEmpty) (_isWriting, HasWritten) = (false, true);
        NoteStall();
    }

    private void NoteStall()
    {
        if (!_content.IsEmpty && _window.NoteStall()) _due |= DueFrames.GrowthRequest;
    }

    private void SayEnd(ref FrameWriter writer)
    {
        writer.Plain(FrameCode.ContentWritingCompleted, channel.Id);
        _endIsSaid = true;
        if (_peerHasEnded) _due |= DueFrames.Termination;
    }

    private void SayLast(ref FrameWriter writer)
    {
        writer.Terminate(channel.Id, _words);
        IsClosed = true;
    }
}

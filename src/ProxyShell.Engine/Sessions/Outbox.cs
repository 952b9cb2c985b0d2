using System.Buffers;
using System.Threading.Tasks.Sources;
using ProxyShell.Engine.Protocols.Multiplexing;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Sessions;

/// <summary>
/// Everything a session sends. Channels with something to say stand in a line, and one loop gives each a turn of at most one frame of content
/// and writes what comes together in one go. Small writes have a line of their own, which goes first for at most half of what is written. The
/// lock is held for one turn at a time and never over I/O; a loop that has nothing to do holds no buffer.
/// </summary>
internal sealed class Outbox(DuplexConnection connection, FrameCodec codec) : IValueTaskSource
{
    /// <summary>Up to here a write is small.</summary>
    public const int SmallWrite = 4 * 1024;

    private const int BatchLength = 128 * 1024;
    private const int MostReplies = 8192;

    // an offer with the longest name, or a frame of content; and the short frames around it
    private const int MostPerTurn = FrameCodec.MaxPayload + ControlPayload.MaxError + 256;

    private readonly Lock _gate = new();
    private readonly Queue<Reply> _replies = new();
    private readonly SenderLine _small = new();
    private readonly SenderLine _large = new();
    private ManualResetValueTaskSourceCore<bool> _wake;
    private TaskCompletionSource? _drained;
    private bool _isIdle;
    private bool _isBorrowed;
    private volatile bool _isOver;

    /// <summary>Held while a sender is touched.</summary>
    public Lock Gate => _gate;

    /// <summary>Writes until <see cref="Stop"/>. Fails when the connection does.</summary>
    public async Task RunAsync()
    {
        byte[]? batch = null;
        try
        {
            while (!_isOver)
            {
                batch ??= ArrayPool<byte>.Shared.Rent(BatchLength);
                int length = Fill(batch);
                if (length > 0)
                {
                    await connection.WriteAsync(batch.AsMemory(0, length), CancellationToken.None).ConfigureAwait(false);
                    // who woke the loop with a small thing to say has lent its thread for one write, and no longer
                    if (_isBorrowed) await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                    _isBorrowed = false;
                    continue;
                }
                // who stopped the loop before it rested finds nobody to wake
                if (_isOver) break;
                ArrayPool<byte>.Shared.Return(batch);
                batch = null;
                await new ValueTask(this, _wake.Version).ConfigureAwait(false);
            }
        }
        finally
        {
            if (batch is not null) ArrayPool<byte>.Shared.Return(batch);
        }
    }

    /// <summary>Puts a sender in line if it has something to say; the lock is held. Returns whether the loop must be woken.</summary>
    public bool Enqueue(ChannelSender sender)
    {
        if (sender.IsQueued || !sender.HasTurn) return false;
        (sender.IsSmall ? _small : _large).Add(sender);
        return true;
    }

    /// <summary>Adds a reply; false when too many wait because the peer does not read.</summary>
    public bool TryReply(Reply reply)
    {
        lock (_gate)
        {
            if (_replies.Count >= MostReplies) return false;
            _replies.Enqueue(reply);
            return true;
        }
    }

    /// <summary>Wakes the loop if it is idle; never to be called within a lock. With little to send it runs on the caller's thread.</summary>
    public void Wake(bool little)
    {
        lock (_gate)
        {
            if (!_isIdle) return;
            _isIdle = false;
            _isBorrowed = little;
        }
        _wake.RunContinuationsAsynchronously = !little;
        _wake.SetResult(true);
    }

    /// <summary>Completes when everything that is due now has been written, or the loop has ended.</summary>
    public Task DrainAsync()
    {
        lock (_gate)
        {
            if (_isIdle || _isOver) return Task.CompletedTask;
            _drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _drained.Task;
        }
    }

    /// <summary>Ends the loop after the write under way.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _isOver = true;
            _drained?.TrySetResult();
        }
        Wake(little: false);
    }

    void IValueTaskSource.GetResult(short token)
    {
        _wake.GetResult(token);
        _wake.Reset();
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _wake.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wake.OnCompleted(continuation, state, token, flags);

    // 0: there is nothing to say, and the loop counts as idle
    private int Fill(Span<byte> batch)
    {
        int length = 0, small = 0;
        while (length + MostPerTurn <= batch.Length)
        {
            ChannelSender? closed = null;
            lock (_gate)
            {
                var writer = new FrameWriter(batch[length..], codec);
                bool isSmall = false;
                if (_replies.TryDequeue(out Reply reply)) Write(reply, ref writer);
                else if (TakeNext(small, out isSmall) is { } sender) closed = GiveTurn(sender, ref writer);
                else
                {
                    if (length == 0) Rest();
                    return length;
                }
                length += writer.Length;
                if (isSmall) small += writer.Length;
            }
            closed?.Channel.Session.Forget(closed.Channel);
        }
        return length;
    }

    private ChannelSender? TakeNext(int smallSoFar, out bool isSmall)
    {
        isSmall = !_small.IsEmpty && (_large.IsEmpty || smallSoFar < BatchLength / 2);
        return (isSmall ? _small : _large).Take();
    }

    private ChannelSender? GiveTurn(ChannelSender sender, ref FrameWriter writer)
    {
        if (sender.HasTurn) sender.TakeTurn(ref writer);
        if (sender.IsClosed) return sender;
        // what one turn was not enough for is not small
        if (sender.HasTurn) _large.Add(sender);
        return null;
    }

    private static void Write(Reply reply, ref FrameWriter writer)
    {
        if (reply.Code == FrameCode.Offer) writer.Offer(reply.Channel, reply.Words, ControlPayload.UntoldWindow);
        else writer.Terminate(reply.Channel, reply.Words);
    }

    private void Rest()
    {
        _isIdle = true;
        _drained?.TrySetResult();
        _drained = null;
    }
}

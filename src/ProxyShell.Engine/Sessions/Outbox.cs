using System.Buffers;
using System.Threading.Tasks.Sources;
using ProxyShell.Engine.Protocols.Multiplexing;
using ProxyShell.Engine.Transport;
using ProxyShell.Engine.Transport.Linux;

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

    // what is written in one go: the larger one once the smaller was not enough
    private const int FirstBatch = 64 * 1024;
    private const int LargeBatch = 512 * 1024;
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
    private int _holder;
    private volatile bool _isOver;

    /// <summary>Held while a sender is touched.</summary>
    public Lock Gate => _gate;

    /// <summary>Writes until <see cref="Stop"/>. Fails when the connection does.</summary>
    public async Task RunAsync()
    {
        byte[]? batch = null;
        LoopShare share = default;
        try
        {
            while (!_isOver)
            {
                batch ??= ArrayPool<byte>.Shared.Rent(FirstBatch);
                int length = Fill(batch);
                if (length > 0)
                {
                    if (share.IsUsedUp)
                    {
                        await new LoopTurn(connection.Loop);
                        share.Renew();
                        _isBorrowed = false;
                    }
                    ValueTask written = connection.WriteAsync(batch.AsMemory(0, length), CancellationToken.None);
                    // whose thread this is has lent it for one write, and no longer
                    share.Use(_isBorrowed ? LoopShare.Whole : length);
                    if (!written.IsCompleted)
                    {
                        share.Renew();
                        _isBorrowed = false;
                    }
                    await written.ConfigureAwait(false);
                    if (length > FirstBatch - MostPerTurn) Enlarge(ref batch);
                    continue;
                }
                share.Renew();
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

    /// <summary>
    /// Wakes the loop if it is idle; never to be called within a lock. It runs on the caller's thread for one write, if there is little to send or
    /// writing costs little more than a copy.
    /// </summary>
    public void Wake(bool little)
    {
        if (_holder == Environment.CurrentManagedThreadId) return;
        bool lends = little || connection.Loop is not null;
        lock (_gate)
        {
            if (!_isIdle) return;
            (_isIdle, _isBorrowed) = (false, lends);
        }
        _wake.RunContinuationsAsynchronously = !lends;
        _wake.SetResult(true);
    }

    /// <summary>What this thread has to say is collected until <see cref="Release"/>, behind which it has to wake the loop.</summary>
    public void Hold() => _holder = Environment.CurrentManagedThreadId;

    /// <summary>Ends what <see cref="Hold"/> began, on the same thread.</summary>
    public void Release() => _holder = 0;

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
            ChannelSender? sender = null;
            lock (_gate)
            {
                var writer = new FrameWriter(batch[length..], codec);
                bool isSmall = false;
                if (_replies.TryDequeue(out Reply reply)) Write(reply, ref writer);
                else if ((sender = TakeNext(small, out isSmall)) is not null) GiveTurn(sender, ref writer);
                else
                {
                    if (length == 0) Rest();
                    return length;
                }
                length += writer.Length;
                if (isSmall) small += writer.Length;
            }
            if (sender is { HasWritten: true }) sender.Complete();
            if (sender is { IsClosed: true }) sender.Channel.Session.Forget(sender.Channel);
        }
        return length;
    }

    private static void Enlarge(ref byte[] batch)
    {
        if (batch.Length >= LargeBatch) return;
        ArrayPool<byte>.Shared.Return(batch);
        batch = ArrayPool<byte>.Shared.Rent(LargeBatch);
    }

    private ChannelSender? TakeNext(int smallSoFar, out bool isSmall)
    {
        isSmall = !_small.IsEmpty && (_large.IsEmpty || smallSoFar < FirstBatch / 2);
        return (isSmall ? _small : _large).Take();
    }

    private void GiveTurn(ChannelSender sender, ref FrameWriter writer)
    {
        if (sender.HasTurn) sender.TakeTurn(ref writer);
        // what one turn was not enough for is not small
        if (sender.HasTurn) _large.Add(sender);
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

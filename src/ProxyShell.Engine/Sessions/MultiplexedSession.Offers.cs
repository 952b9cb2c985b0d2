using System.Text;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Multiplexing;

namespace ProxyShell.Engine.Sessions;

/// <summary>Opening and closing channels.</summary>
public sealed partial class MultiplexedSession
{
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ProxyException? _refusal;

    /// <summary>Offers a channel and waits until the peer accepts it. An offer that is cancelled is withdrawn.</summary>
    /// <param name="name">What the peer accepts it by; need not be unique. At most 20,464 bytes of UTF-8.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ProxyException">The peer rejected it, too many channels are open, or the session is over.</exception>
    public async Task<SessionChannel> OfferAsync(string name, CancellationToken cancellationToken)
    {
        SessionChannel channel = Offer(name);
        try
        {
            await channel.Acceptance.WaitAsync(cancellationToken).ConfigureAwait(false);
            return channel;
        }
        catch (OperationCanceledException)
        {
            await channel.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Offers a channel without waiting: what is written to it is sent when the peer has accepted. With an empty name it is anonymous: the peer has
    /// to be told its <see cref="SessionChannel.Id"/> by other means.
    /// </summary>
    /// <exception cref="ProxyException">Too many channels are open, or the session is over.</exception>
    public SessionChannel Offer(string name)
    {
        byte[] words = Encoding.UTF8.GetBytes(name);
        if (words.Length > ControlPayload.MaxName) throw new ArgumentException($"The name has {words.Length:N0} bytes, and {ControlPayload.MaxName:N0} are allowed.", nameof(name));
        var channel = new SessionChannel(this, _channels.NextId(), name, NewWindow());
        if (!_channels.TryAdd(channel)) throw Full();
        long window = channel.Incoming.Open(_options.Window);
        Interlocked.Increment(ref _offered);
        bool wakes;
        lock (Outbox.Gate)
        {
            channel.Sender.Offer(words, window);
            wakes = Outbox.Enqueue(channel.Sender);
        }
        if (wakes) Outbox.Wake(little: true);
        return channel;
    }

    /// <summary>Accepts the first channel that the peer has offered by this name, or waits for one.</summary>
    /// <exception cref="ProxyException">The session is over.</exception>
    public async Task<SessionChannel> AcceptAsync(string name, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(name);
        while (true)
        {
            SessionChannel channel = await _offers.TakeAsync(name, cancellationToken).ConfigureAwait(false);
            // an offer may have been withdrawn meanwhile
            if (TryAccept(channel)) return channel;
        }
    }

    /// <summary>Accepts the channel of this number that the peer has offered already.</summary>
    /// <exception cref="ProxyException">There is no such offer.</exception>
    public SessionChannel Accept(long number)
    {
        SessionChannel? channel = _channels.Find(new ChannelId(number, ChannelSource.Remote));
        return channel is not null && _offers.Remove(channel) && TryAccept(channel)
            ? channel
            : throw SessionFault.Of(ProxyErrorReason.ConnectionClosed, $"the peer does not offer a channel {number}");
    }

    /// <summary>Takes the peer's first offer of any name that nobody else waits for by name, or waits for one. It has to be accepted or rejected.</summary>
    /// <exception cref="ProxyException">The session is over.</exception>
    public async Task<ChannelOffer> NextOfferAsync(CancellationToken cancellationToken) =>
        new(await _offers.TakeAsync(null, cancellationToken).ConfigureAwait(false));

    /// <summary>A channel that both sides know from the start.</summary>
    public SessionChannel Seeded(int number) =>
        _channels.Find(new ChannelId(number, ChannelSource.Seeded))
        ?? throw new ArgumentOutOfRangeException(nameof(number), "There is no such seeded channel, or it is closed.");

    /// <summary>Rejects further offers, and those that wait, with this reason, and waits until the last channel is closed; the session itself lives on.</summary>
    public Task DrainAsync(ProxyException why)
    {
        ArgumentNullException.ThrowIfNull(why);
        _refusal ??= why;
        foreach (SessionChannel waiting in _channels.Snapshot().Where(_offers.Remove)) Terminate(waiting, why, Farewell.Error);
        NoteEmpty();
        return _drained.Task;
    }

    internal bool TryAccept(SessionChannel channel)
    {
        long window = channel.Incoming.Open(_options.Window);
        bool accepted, wakes;
        lock (Outbox.Gate)
        {
            accepted = channel.Sender.TryAccept(window, channel.OfferedWindow);
            wakes = Outbox.Enqueue(channel.Sender);
        }
        if (!accepted) return false;
        Interlocked.Increment(ref _accepted);
        channel.NoteAccepted();
        if (wakes) Outbox.Wake(little: true);
        return true;
    }

    /// <summary>Closes a channel from this side.</summary>
    internal void Terminate(SessionChannel channel, ProxyException error, Farewell how)
    {
        channel.Incoming.Fail(error, discard: how != Farewell.Echo);
        bool wasUnheard, wakes;
        lock (Outbox.Gate)
        {
            wasUnheard = channel.Sender.Terminate(error, how);
            // a session that broke must not tell the peer of it as of a fault of the channel
            wakes = !IsOver && Outbox.Enqueue(channel.Sender);
        }
        channel.NoteRefused(error);
        if (how == Farewell.Echo) channel.NoteBreak(error);
        _offers.Remove(channel);
        if (wasUnheard) Forget(channel);
        if (wakes) Outbox.Wake(little: true);
    }

    /// <summary>The last word on the channel was said: its place is free.</summary>
    internal void Forget(SessionChannel channel)
    {
        if (!_channels.Remove(channel)) return;
        channel.Incoming.Close();
        NoteEmpty();
    }

    /// <summary>Whether it has ended; true before the first channel hears of it.</summary>
    internal bool IsOver => Volatile.Read(ref _isOver) != 0;

    private ReceiveWindow? NewWindow() => _codec.HasWindows ? new ReceiveWindow(_options.MaxWindow, _windows, _roundTrip, _options.Time) : null;

    private void Seed(ChannelId id)
    {
        var channel = new SessionChannel(this, id, "", NewWindow());
        channel.Sender.Open(channel.Incoming.Open(_options.Window));
        channel.NoteAccepted();
        _channels.TryAdd(channel);
    }

    // the session is over
    private void Fail(SessionChannel channel, ProxyException error)
    {
        channel.Incoming.Fail(error, discard: false);
        lock (Outbox.Gate) channel.Sender.Fail(error);
        channel.NoteRefused(error);
        channel.NoteBreak(error);
        channel.Incoming.Close();
    }

    private ProxyException Full() =>
        SessionFault.Of(ProxyErrorReason.LimitExceeded, $"the session has {_options.MaxChannels:N0} channels, which is as many as it may have");

    private void NoteEmpty()
    {
        if (_refusal is not null && _channels.Count == 0) _drained.TrySetResult();
    }
}

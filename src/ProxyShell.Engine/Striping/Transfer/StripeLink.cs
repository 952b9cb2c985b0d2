using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;
using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>Moves the frames of one stripe: a loop that writes what the set gives it, and one that hands over what comes.</summary>
internal sealed class StripeLink
{
    // as much as one direction may hold a loop's thread up for others
    private const int MostTurns = 8;

    private readonly StripeSet _set;
    private readonly DuplexConnection _connection;
    private readonly StripeParser _parser;
    private ProxyException? _failure;

    /// <summary>Makes the connection a stripe of the set; <see cref="RunAsync"/> has to follow.</summary>
    /// <exception cref="ProxyException">The set has ended.</exception>
    public StripeLink(StripeSet set, long number, DuplexConnection connection, TimeSpan roundTrip)
    {
        (_set, _connection) = (set, connection);
        Stripe = set.AddStripe(number, Abort, connection.Loop, roundTrip);
        // all on one loop: a hand-over to another thread costs more than what a stripe does there
        if (connection.Loop is not null && set.Loop is { } loop) connection.ContinueOn(loop);
        connection.ExpectBulk();
        _parser = new StripeParser(set, Stripe);
    }

    public Stripe Stripe { get; }

    /// <summary>At the far end: the pipe it joined.</summary>
    public UInt128 Pipe { get; init; }

    public DuplexConnection Connection => _connection;

    /// <summary>Runs until the stripe is over; returns why, or null when it, or the pipe, was ended in order.</summary>
    public async Task<ProxyException?> RunAsync()
    {
        Task writing = WriteAsync();
        await ReadAsync().ConfigureAwait(false);
        await writing.ConfigureAwait(false);
        _parser.Close();
        _set.RemoveStripe(Stripe);
        await _connection.DisposeAsync().ConfigureAwait(false);
        if (Stripe.EndsInOrder) return null;
        return _set.Completion is { IsCompleted: true } ended ? await ended.ConfigureAwait(false) : _failure;
    }

    private void Abort(ProxyException why)
    {
        Interlocked.CompareExchange(ref _failure, why, null);
        _connection.Abort(why);
    }

    private async Task ReadAsync()
    {
        try
        {
            bool isDrained = true;
            for (int turns = 1; ; turns++)
            {
                if (Stripe.IsDirect && turns % MostTurns == 0) await new LoopTurn(_connection.Loop);
                if (isDrained && _parser.IsEmpty)
                {
                    // a stripe that is silent costs no buffer
                    _parser.Rest();
                    await _connection.ReadAsync(Memory<byte>.Empty, CancellationToken.None).ConfigureAwait(false);
                }
                Memory<byte> room = _parser.Room;
                int count = await _connection.ReadAsync(room, CancellationToken.None).ConfigureAwait(false);
                if (count == 0) throw new ProxyException(ProxyErrorReason.ConnectionClosed, ProxyStage.Relay, null, "the other end closed the stripe");
                isDrained = count < room.Length;
                _set.Receive(Stripe, _parser, count);
            }
        }
        catch (Exception e) when (e is ProxyException or ObjectDisposedException or InvalidOperationException)
        {
            Over(e);
        }
    }

    private async Task WriteAsync()
    {
        try
        {
            int turns = 0;
            while (true)
            {
                ReadOnlyMemory<byte> bytes = _set.Take(Stripe);
                if (!bytes.IsEmpty)
                {
                    ValueTask written = _connection.WriteAsync(bytes, CancellationToken.None);
                    turns = written.IsCompleted ? turns + 1 : 0;
                    await written.ConfigureAwait(false);
                    if (turns < MostTurns) continue;
                    turns = 0;
                    await new LoopTurn(_connection.Loop);
                }
                else if (Stripe.HasFinished) break;
                else await Stripe.WaitAsync().ConfigureAwait(false);
            }
            if (!Stripe.IsGone) await _connection.CompleteWritesAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ProxyException or ObjectDisposedException)
        {
            Over(e);
        }
    }

    // either loop's end is the other's
    private void Over(Exception e)
    {
        Abort(e as ProxyException ?? new ProxyException(ProxyErrorReason.ConnectionClosed, ProxyStage.Relay, null, e.Message, e));
        _set.EndStripe(Stripe);
    }
}

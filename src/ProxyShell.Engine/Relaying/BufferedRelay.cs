using System.Buffers;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;
using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Relaying;

/// <summary>The relay for any two connections: pooled buffers, and none while a direction waits (zero-byte reads).</summary>
internal sealed class BufferedRelay(DuplexConnection client, DuplexConnection upstream, Traffic traffic, Bandwidth bandwidth) : IOutlet, IBreakListener
{
    // what a TCP segment on loopback holds: 64 KiB would leave a second one with 53 bytes
    private const int FirstLength = 63 * 1024;

    /// <summary>What a bulk stream is moved by: on a quick link each turn costs more than what it copies.</summary>
    public const int BulkLength = 4 * FirstLength;

    // how long what came before a break may take to be delivered
    private static readonly TimeSpan LastBytes = TimeSpan.FromSeconds(2);

    // a socket moves to the loop of the channel that it is joined to: a hand-over to another thread costs more than what it would do there
    private readonly EpollLoop? _loop = client.Loop is null || upstream.Loop is null ? null : client is LinuxConnection ? upstream.Loop : client.Loop;
    // where what comes for a channel goes straight out of the session's own buffer, as long as the socket takes it
    private readonly LinuxConnection? _outlet = client.Loop is null || upstream.Loop is null ? null : (client, upstream) switch
    {
        (LinuxConnection, LinuxConnection) => null,
        (LinuxConnection socket, _) => socket,
        _ => upstream as LinuxConnection,
    };

    private volatile bool _isOver;
    private ProxyException? _failure;
    private CancellationTokenSource? _stop;

    public async ValueTask<ProxyException?> RunAsync()
    {
        if (_loop is not null)
        {
            client.ContinueOn(_loop);
            upstream.ContinueOn(_loop);
        }
        client.TellWhenBroken(this);
        upstream.TellWhenBroken(this);
        Task up = CopyAsync(client, upstream, ProxySide.Client, ProxySide.Upstream);
        Task down = CopyAsync(upstream, client, ProxySide.Upstream, ProxySide.Client);
        await Task.WhenAll(up, down).ConfigureAwait(false);
        _isOver = true;
        _stop?.Dispose();
        if (_failure is null)
        {
            await client.DisposeAsync().ConfigureAwait(false);
            await upstream.DisposeAsync().ConfigureAwait(false);
        }
        return _failure;
    }

    private async Task CopyAsync(DuplexConnection source, DuplexConnection sink, ProxySide sourceSide, ProxySide sinkSide)
    {
        TrafficDirection direction = sourceSide == ProxySide.Client ? TrafficDirection.Sent : TrafficDirection.Received;
        ProxySide busy = sourceSide;
        byte[]? buffer = null;
        int length = FirstLength;
        LoopShare share = default;
        try
        {
            while (true)
            {
                if (_loop is not null && share.IsUsedUp)
                {
                    await new LoopTurn(_loop);
                    share.Renew();
                }
                if (buffer is null)
                {
                    ValueTask<int> ready = sink == _outlet ? source.WaitAsync(this) : source.ReadAsync(Memory<byte>.Empty, CancellationToken.None);
                    if (!ready.IsCompleted) share.Renew();
                    await ready.ConfigureAwait(false);
                }
                bool limited = bandwidth.IsLimited(direction);
                int allowed = limited ? await TakeTurnAsync(direction).ConfigureAwait(false) : length;
                buffer ??= ArrayPool<byte>.Shared.Rent(length);
                int count = await source.ReadAsync(buffer.AsMemory(0, allowed), CancellationToken.None).ConfigureAwait(false);
                if (limited) bandwidth.GiveBack(allowed - count, direction);
                busy = sinkSide;
                if (count == 0)
                {
                    await sink.CompleteWritesAsync(CancellationToken.None).ConfigureAwait(false);
                    return;
                }
                await sink.WriteAsync(buffer.AsMemory(0, count), CancellationToken.None).ConfigureAwait(false);
                Count(direction, count);
                share.Use(count);
                busy = sourceSide;
                // a full buffer means that more is waiting; otherwise the buffer goes back until there is
                bool isFull = count == length;
                if (isFull) sink.ExpectBulk();
                length = isFull ? BulkLength : count < FirstLength ? FirstLength : length;
                if (limited || !isFull || buffer.Length < length) Release(ref buffer);
            }
        }
        catch (Exception e)
        {
            Fail(RelayFailure.On(busy, e));
        }
        finally
        {
            Release(ref buffer);
        }
    }

    int IOutlet.Take(ReadOnlySpan<ArraySegment<byte>> parts)
    {
        TrafficDirection direction = _outlet == client ? TrafficDirection.Received : TrafficDirection.Sent;
        if (bandwidth.IsLimited(direction)) return 0;
        int taken = _outlet!.SendAtOnce(parts);
        if (taken >= FirstLength) _outlet.ExpectBulk();
        Count(direction, taken);
        return taken;
    }

    // whoever reads or writes it finds out by that; a direction that is stuck at the other side does not
    void IBreakListener.OnBroken(DuplexConnection broken, ProxyException why)
    {
        ProxyException failure = RelayFailure.On(broken == client ? ProxySide.Client : ProxySide.Upstream, why);
        _ = FailLaterAsync(failure);
    }

    private async Task FailLaterAsync(ProxyException failure)
    {
        await Task.Delay(LastBytes).ConfigureAwait(false);
        if (!_isOver) Fail(failure);
    }

    // a turn that nobody will take any more must not be waited for
    private ValueTask<int> TakeTurnAsync(TrafficDirection direction)
    {
        if (_stop is null)
        {
            var made = CancellationTokenSource.CreateLinkedTokenSource(traffic.Aborting);
            if (Interlocked.CompareExchange(ref _stop, made, null) is not null) made.Dispose();
            if (Volatile.Read(ref _failure) is not null) _stop.Cancel();
        }
        return bandwidth.TakeAsync(FirstLength, direction, _stop.Token);
    }

    private void Fail(ProxyException failure)
    {
        // the first failure is the cause; the other direction then fails because of the abort
        Interlocked.CompareExchange(ref _failure, failure, null);
        Volatile.Read(ref _stop)?.Cancel();
        client.Abort(failure);
        upstream.Abort(failure);
    }

    private void Count(TrafficDirection direction, int bytes)
    {
        if (direction == TrafficDirection.Sent) traffic.AddSent(bytes);
        else traffic.AddReceived(bytes);
    }

    private static void Release(ref byte[]? buffer)
    {
        if (buffer is not null) ArrayPool<byte>.Shared.Return(buffer);
        buffer = null;
    }
}

using System.Buffers;
using System.Diagnostics;
using System.Net.Sockets;
using ProxyShell.Bench.Native;

namespace ProxyShell.Bench.Load;

/// <summary>One connection of a simulated link. Two threads per direction: one stamps what comes, one delivers it when it is due.</summary>
internal sealed class LinkConnection
{
    private const int ChunkSize = 64 * 1024;
    private static readonly long CatchUp = Stopwatch.Frequency / 100;

    private readonly Socket _near;
    private readonly Socket _far;
    private readonly LinkShape _shape;
    private readonly LinkFlight _up;
    private readonly LinkFlight _down;
    private readonly object _gate = new();
    private readonly Action _ended;
    private readonly long _delay;
    private readonly double _ticksPerByte;
    private bool _frozen;
    private int _directions = 2;
    private int _over;

    /// <param name="ended">Is called once, when both directions have ended or the connection was killed.</param>
    internal LinkConnection(Socket near, Socket far, LinkShape shape, Action ended)
    {
        (_near, _far, _shape, _ended) = (near, far, shape, ended);
        _up = new LinkFlight(shape.Room);
        _down = new LinkFlight(shape.Room);
        _delay = (long)(shape.OneWayDelay.TotalSeconds * Stopwatch.Frequency);
        _ticksPerByte = shape.BytesPerSecond is { } rate ? Stopwatch.Frequency / rate : 0;
    }

    internal void Start()
    {
        if (_shape.ReceiveBuffer is { } size)
            _near.ReceiveBufferSize = size;
        RunThread(() => Stamp(_near, _up));
        RunThread(() => Stamp(_far, _down));
        RunThread(() => Deliver(_up, _far));
        RunThread(() => Deliver(_down, _near));
    }

    /// <summary>Nothing travels any more, and neither end is told.</summary>
    internal void Freeze()
    {
        lock (_gate)
            _frozen = true;
    }

    internal void Thaw()
    {
        lock (_gate)
        {
            _frozen = false;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Resets both ends; what was on its way is lost.</summary>
    internal void Kill()
    {
        try
        {
            _near.LingerState = _far.LingerState = new LingerOption(enable: true, 0);
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // it ends by itself
        }

        End();
    }

    private void End()
    {
        if (Interlocked.Exchange(ref _over, 1) != 0)
            return;
        _near.Dispose();
        _far.Dispose();
        _up.Close();
        _down.Close();
        Thaw();
        _ended();
    }

    private void Stamp(Socket from, LinkFlight flight)
    {
        int count = 1;
        long free = 0;
        while (count > 0)
        {
            WaitWhileFrozen();
            byte[] buffer = ArrayPool<byte>.Shared.Rent(ChunkSize);
            count = from.Receive(buffer, ChunkSize, SocketFlags.None);

            // a chunk has come when the link has carried its last byte; a thread that slept too long may catch up
            long now = Stopwatch.GetTimestamp();
            free = Math.Max(free, now - CatchUp) + (long)(count * _ticksPerByte);
            if (!flight.TryAdd(new LinkFlight.Chunk(buffer, count, Math.Max(free, now))))
                return;
            SleepUntil(free);
        }
    }

    private void Deliver(LinkFlight flight, Socket to)
    {
        while (flight.TryTake(out LinkFlight.Chunk chunk))
        {
            SleepUntil(chunk.Arrived + _delay);
            WaitWhileFrozen();
            if (chunk.Count == 0)
            {
                to.Shutdown(SocketShutdown.Send);
                if (Interlocked.Decrement(ref _directions) == 0)
                    End();
                return;
            }

            to.Send(chunk.Buffer, chunk.Count, SocketFlags.None);
            flight.Delivered(chunk);
            ArrayPool<byte>.Shared.Return(chunk.Buffer);
        }
    }

    private void WaitWhileFrozen()
    {
        lock (_gate)
        {
            while (_frozen)
                Monitor.Wait(_gate);
        }
    }

    // nanosleep is exact to some 50 µs where Thread.Sleep rounds to milliseconds, and every link would add its error
    private static unsafe void SleepUntil(long timestamp)
    {
        TimeSpan rest = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), timestamp);
        if (rest <= TimeSpan.Zero)
            return;
        var time = new Libc.TimeValue { Seconds = (long)rest.TotalSeconds, Fraction = (long)(rest.TotalSeconds % 1 * 1e9) };
        _ = Libc.Sleep(&time, null);
    }

    private void RunThread(Action work)
    {
        void RunUntilClosed()
        {
            try
            {
                work();
            }
            catch (ObjectDisposedException)
            {
                // killed, or both directions have ended
            }
            catch (SocketException)
            {
                Kill(); // an end was reset: the other shall see that too
            }
        }

        new Thread(RunUntilClosed, 256 * 1024) { IsBackground = true }.Start();
    }
}

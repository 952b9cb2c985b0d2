using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ProxyShell.Bench.Native;

namespace ProxyShell.Bench.Load;

/// <summary>A simulated link: forwards each chunk in order, a fixed time after it came, in both directions.</summary>
/// <remarks>
/// It accepts at once: the handshake of TCP itself is not delayed, only what travels on the connection. Chunks in flight
/// are not limited, so the delay costs no throughput. Two threads per direction: one stamps, one sleeps until due. A link
/// with a rate stamps no faster than that, and what it has not stamped yet waits in the sender's socket.
/// </remarks>
internal sealed class DelayRelay : IDisposable
{
    private const int ChunkSize = 64 * 1024;
    private static readonly long CatchUp = Stopwatch.Frequency / 500;

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly ConcurrentBag<Socket> _open = [];
    private readonly int _destinationPort;
    private readonly TimeSpan _delay;
    private readonly double _ticksPerByte;

    /// <param name="destinationPort">Where the link leads.</param>
    /// <param name="oneWayDelay">How long each byte travels.</param>
    /// <param name="bytesPerSecond">What the link carries each way; null for as much as the machine can.</param>
    internal DelayRelay(int destinationPort, TimeSpan oneWayDelay, double? bytesPerSecond = null)
    {
        _destinationPort = destinationPort;
        _delay = oneWayDelay;
        _ticksPerByte = bytesPerSecond is { } rate ? Stopwatch.Frequency / rate : 0;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(128);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        RunThread(AcceptAll);
    }

    internal int Port { get; }

    public void Dispose()
    {
        _listener.Dispose();
        foreach (Socket socket in _open)
            socket.Dispose();
    }

    private void AcceptAll()
    {
        while (true)
        {
            Socket near = _listener.Accept();
            var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            _open.Add(near);
            _open.Add(far);
            near.NoDelay = far.NoDelay = true;
            if (!TryConnect(far))
            {
                near.Dispose(); // the client will try again
                continue;
            }

            Forward(near, far);
            Forward(far, near);
        }
    }

    private bool TryConnect(Socket far)
    {
        try
        {
            far.Connect(new IPEndPoint(IPAddress.Loopback, _destinationPort));
            return true;
        }
        catch (SocketException)
        {
            return false; // nobody listens there yet
        }
    }

    private void Forward(Socket from, Socket to)
    {
        var flight = new BlockingCollection<Chunk>(new ConcurrentQueue<Chunk>());
        RunThread(() => Stamp(from, flight));
        RunThread(() => Deliver(to, flight));
    }

    private void Stamp(Socket from, BlockingCollection<Chunk> flight)
    {
        int count = 1;
        long free = 0;
        while (count > 0)
        {
            byte[] buffer = ArrayPool<byte>.Shared.Rent(ChunkSize);
            try
            {
                count = from.Receive(buffer, ChunkSize, SocketFlags.None);
            }
            catch (SocketException)
            {
                count = 0;
            }

            // a chunk has come when the link has carried its last byte; a thread that slept too long may catch up
            long now = Stopwatch.GetTimestamp();
            free = Math.Max(free, now - CatchUp) + (long)(count * _ticksPerByte);
            flight.Add(new Chunk(buffer, count, Math.Max(free, now)));
            SleepUntil(free);
        }
    }

    private void Deliver(Socket to, BlockingCollection<Chunk> flight)
    {
        while (true)
        {
            Chunk chunk = flight.Take();
            SleepUntil(chunk.Arrived + (long)(_delay.TotalSeconds * Stopwatch.Frequency));
            if (chunk.Count == 0)
            {
                to.Shutdown(SocketShutdown.Send);
                return;
            }

            to.Send(chunk.Buffer, chunk.Count, SocketFlags.None);
            ArrayPool<byte>.Shared.Return(chunk.Buffer);
        }
    }

    // nanosleep is exact to some 50 µs where Thread.Sleep rounds to milliseconds, and every link would add its error
    private static unsafe void SleepUntil(long timestamp)
    {
        TimeSpan rest = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), timestamp);
        if (rest <= TimeSpan.Zero)
            return;
        var time = new Libc.TimeValue { Fraction = (long)(rest.TotalSeconds * 1e9) };
        _ = Libc.Sleep(&time, null);
    }

    private static void RunThread(Action work)
    {
        void RunUntilClosed()
        {
            try
            {
                work();
            }
            catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
            {
                // one end is gone; its twin notices by itself
            }
        }

        new Thread(RunUntilClosed, 256 * 1024) { IsBackground = true }.Start();
    }

    private readonly record struct Chunk(byte[] Buffer, int Count, long Arrived);
}

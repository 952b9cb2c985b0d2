using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ProxyShell.Bench.Native;

namespace ProxyShell.Bench.Load;

/// <summary>A simulated link: forwards each chunk in order, a fixed time after it came, in both directions.</summary>
/// <remarks>
/// It accepts at once: the handshake of TCP itself is not delayed, only what travels on the connection. Chunks in flight
/// are not limited, so the delay costs no throughput. Two threads per direction: one stamps, one sleeps until due.
/// </remarks>
internal sealed class DelayRelay : IDisposable
{
    private const int ChunkSize = 64 * 1024;

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly ConcurrentBag<Socket> _open = [];
    private readonly int _destinationPort;
    private readonly TimeSpan _delay;

    internal DelayRelay(int destinationPort, TimeSpan oneWayDelay)
    {
        _destinationPort = destinationPort;
        _delay = oneWayDelay;
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
            far.Connect(new IPEndPoint(IPAddress.Loopback, _destinationPort));
            Forward(near, far);
            Forward(far, near);
        }
    }

    private void Forward(Socket from, Socket to)
    {
        var flight = new BlockingCollection<Chunk>(new ConcurrentQueue<Chunk>());
        RunThread(() => Stamp(from, flight));
        RunThread(() => Deliver(to, flight));
    }

    private static void Stamp(Socket from, BlockingCollection<Chunk> flight)
    {
        var buffer = new byte[ChunkSize];
        int count = 1;
        while (count > 0)
        {
            try
            {
                count = from.Receive(buffer);
            }
            catch (SocketException)
            {
                count = 0;
            }

            flight.Add(new Chunk(buffer.AsSpan(0, count).ToArray(), Stopwatch.GetTimestamp()));
        }
    }

    private void Deliver(Socket to, BlockingCollection<Chunk> flight)
    {
        while (true)
        {
            Chunk chunk = flight.Take();
            SleepUntil(chunk.Arrived);
            if (chunk.Bytes.Length == 0)
            {
                to.Shutdown(SocketShutdown.Send);
                return;
            }

            to.Send(chunk.Bytes);
        }
    }

    // nanosleep is exact to some 50 µs where Thread.Sleep rounds to milliseconds, and every link would add its error
    private unsafe void SleepUntil(long arrived)
    {
        TimeSpan rest = _delay - Stopwatch.GetElapsedTime(arrived);
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

    private readonly record struct Chunk(byte[] Bytes, long Arrived);
}

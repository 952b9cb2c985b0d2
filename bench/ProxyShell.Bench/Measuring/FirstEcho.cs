using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace ProxyShell.Bench.Measuring;

/// <summary>The times of one new connection to an echo, in milliseconds.</summary>
internal readonly record struct FirstEcho(double FirstByte, double RoundTrip)
{
    private const int RoundTrips = 3;
    private const int TimeoutMilliseconds = 20_000;

    /// <summary>What the connection cost beyond the round trip that any echo needs.</summary>
    internal double SetUp => FirstByte - RoundTrip;

    internal static FirstEcho Measure(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = TimeoutMilliseconds,
        };
        long started = Stopwatch.GetTimestamp();
        socket.Connect(new IPEndPoint(IPAddress.Loopback, port));
        Echo(socket);
        double firstByte = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        IEnumerable<double> roundTrips = Enumerable.Range(0, RoundTrips).Select(_ => TimedEcho(socket)).ToArray();
        return new FirstEcho(firstByte, Spread.Of(roundTrips)!.Value.Median);
    }

    private static double TimedEcho(Socket socket)
    {
        long started = Stopwatch.GetTimestamp();
        Echo(socket);
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    private static void Echo(Socket socket)
    {
        Span<byte> one = [42];
        socket.Send(one);
        try
        {
            if (socket.Receive(one) == 0)
                throw new IOException("the chain closed the connection instead of echoing");
        }
        catch (SocketException failure)
        {
            throw new IOException($"no echo through the chain: {failure.Message}", failure);
        }
    }
}

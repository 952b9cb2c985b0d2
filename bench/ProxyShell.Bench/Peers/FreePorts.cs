using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ProxyShell.Bench.Peers;

/// <summary>Loopback ports, free for TCP and UDP, below the range from which the system takes client ports, so that no load occupies them.</summary>
internal static class FreePorts
{
    private const int Lowest = 12_000;
    private const int Attempts = 1_000;

    private static readonly HashSet<int> Taken = [];
    private static readonly int FirstClientPort = ReadFirstClientPort();

    internal static int Take()
    {
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            int port = Random.Shared.Next(Lowest, Math.Max(FirstClientPort, Lowest + 2_000));
            if (!Taken.Contains(port) && IsFree(port))
            {
                Taken.Add(port);
                return port;
            }
        }

        throw new IOException("no free loopback port found");
    }

    private static bool IsFree(int port) =>
        IsFree(port, SocketType.Stream, ProtocolType.Tcp) && IsFree(port, SocketType.Dgram, ProtocolType.Udp);

    private static bool IsFree(int port, SocketType type, ProtocolType protocol)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, type, protocol);
        try
        {
            probe.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int ReadFirstClientPort()
    {
        string range = File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range");
        return int.Parse(range.Split('\t', ' ')[0], CultureInfo.InvariantCulture);
    }
}

using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Addressing;

namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>
/// Ports of loopback at which nobody listens, none twice, and below those that the system gives to outgoing connections and to whoever asks for any:
/// one that was merely let go may be somebody else's a moment later.
/// </summary>
internal static class Ports
{
    private const int First = 10_000, Count = 20_000;

    private static int _given = Random.Shared.Next(Count);

    /// <summary>The first of so many in a row, for TCP and UDP.</summary>
    public static int Take(int count = 1)
    {
        while (true)
        {
            int first = First + (int)((uint)(Interlocked.Add(ref _given, count) - count) % Count);
            if (Enumerable.Range(first, count).All(IsFree)) return first;
        }
    }

    /// <summary>A TCP or UDP destination that refuses.</summary>
    public static HostEndpoint TakeEndpoint() => new("127.0.0.1", Take());

    private static bool IsFree(int port)
    {
        try
        {
            using var stream = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            stream.Bind(new IPEndPoint(IPAddress.Any, port));
            using var datagrams = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            datagrams.Bind(new IPEndPoint(IPAddress.Any, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

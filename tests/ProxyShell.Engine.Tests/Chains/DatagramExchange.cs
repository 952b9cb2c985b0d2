using System.Net.Sockets;

namespace ProxyShell.Engine.Tests.Chains;

/// <summary>
/// One client that has datagrams echoed, with a bounded number of them and of their bytes under way. Each datagram is a stretch of
/// random bytes at a place of its own, so that whatever comes back tells which one it is.
/// </summary>
internal sealed class DatagramExchange(int port, int flow) : IDisposable
{
    private const int Window = 16;
    private const int WindowBytes = 100_000;
    private const int MaxLength = 60_000;

    // nobody waits longer for a datagram; what comes later is still recognised
    private static readonly TimeSpan LossTimeout = TimeSpan.FromSeconds(2);

    private static readonly byte[] Bytes65536 = RandomBytes.Of(2 * 65_536, seed: 99);

    private readonly DatagramClient _client = new(port);
    private readonly Random _random = new(flow);
    private readonly List<(int Start, int Length)> _underWay = [];
    private readonly List<(int Start, int Length)> _late = [];

    /// <summary>Datagrams that came back whole.</summary>
    public int Arrived { get; private set; }

    /// <summary>Their bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>Datagrams that are none of this flow's, or changed.</summary>
    public int Foreign { get; private set; }

    public async Task RunAsync(int count)
    {
        var buffer = new byte[65_536];
        for (int sent = 0; sent < count || _underWay.Count > 0;)
        {
            while (sent < count && _underWay.Count < Window && _underWay.Sum(d => d.Length) < WindowBytes)
            {
                Send();
                sent++;
            }
            using var limit = new CancellationTokenSource(LossTimeout);
            try
            {
                Take(buffer.AsSpan(0, await _client.Socket.ReceiveAsync(buffer, SocketFlags.None, limit.Token)));
            }
            catch (OperationCanceledException)
            {
                _late.AddRange(_underWay);
                _underWay.Clear();
            }
        }
    }

    public void Dispose() => _client.Dispose();

    // mostly as DNS and the like have them, some as large as they get
    private void Send()
    {
        int length = _random.Next(100) switch { < 80 => _random.Next(1, 1500), < 98 => _random.Next(1500, 9000), _ => _random.Next(9000, MaxLength + 1) };
        (int Start, int Length) datagram = (_random.Next(65_536), length);
        _underWay.Add(datagram);
        _client.Send(Bytes65536.AsSpan(datagram.Start, datagram.Length));
    }

    private void Take(ReadOnlySpan<byte> datagram)
    {
        if (Remove(_underWay, datagram) || Remove(_late, datagram))
        {
            Arrived++;
            Bytes += datagram.Length;
        }
        else
        {
            Foreign++;
        }
    }

    private static bool Remove(List<(int Start, int Length)> list, ReadOnlySpan<byte> datagram)
    {
        for (int i = 0; i < list.Count; i++)
        {
            if (list[i].Length != datagram.Length || !datagram.SequenceEqual(Bytes65536.AsSpan(list[i].Start, list[i].Length))) continue;
            list.RemoveAt(i);
            return true;
        }
        return false;
    }
}

using System.Net;
using System.Net.Sockets;

namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>A forwarder between two parties that sees every byte and may change some: the hostile network.</summary>
internal sealed class Tap : IAsyncDisposable
{
    private readonly Origin _origin;
    private readonly MemoryStream _seen = new();
    private readonly int _target;

    public Tap(int target)
    {
        _target = target;
        _origin = Origin.Of(ForwardAsync);
    }

    public int Port => _origin.Port;

    /// <summary>Given the direction (true: towards the target), the offset and the bytes in passing, which it may change.</summary>
    public Action<bool, long, byte[]>? OnBytes { get; set; }

    /// <summary>When set, the answers are cut off (with an orderly end) after so many bytes.</summary>
    public long CutAnswersAfter { get; set; } = long.MaxValue;

    /// <summary>Once set, nothing that comes from either side is passed on, while all connections stay.</summary>
    public bool IsSilent { get; set; }

    public byte[] Seen
    {
        get
        {
            lock (_seen) return _seen.ToArray();
        }
    }

    public ValueTask DisposeAsync() => _origin.DisposeAsync();

    private async Task ForwardAsync(Socket client)
    {
        using var target = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await target.ConnectAsync(IPAddress.Loopback, _target);
        await Task.WhenAll(CopyAsync(client, target, true, long.MaxValue), CopyAsync(target, client, false, CutAnswersAfter));
    }

    private async Task CopyAsync(Socket from, Socket to, bool towardsTarget, long limit)
    {
        var buffer = new byte[8192];
        long offset = 0;
        int count;
        try
        {
            while (offset < limit && (count = await from.ReceiveAsync(buffer)) > 0)
            {
                byte[] bytes = buffer[..(int)Math.Min(count, limit - offset)];
                lock (_seen) _seen.Write(bytes);
                OnBytes?.Invoke(towardsTarget, offset, bytes);
                offset += bytes.Length;
                if (IsSilent) continue;
                await Origin.SendAllAsync(to, bytes);
            }
            to.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // one side broke: so does the other
            from.Dispose();
            to.Dispose();
        }
    }
}

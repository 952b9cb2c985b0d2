using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>Stands before a UDP server, passes on what one client and the server say, and keeps what the client sent.</summary>
internal sealed class DatagramTap : IDisposable
{
    private readonly Socket _near = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly Socket _far = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly ConcurrentQueue<byte[]> _seen = new();
    private EndPoint? _client;

    public DatagramTap(int port)
    {
        _near.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _far.Connect(IPAddress.Loopback, port);
        _ = Task.Run(ToServerAsync);
        _ = Task.Run(ToClientAsync);
    }

    public int Port => ((IPEndPoint)_near.LocalEndPoint!).Port;

    public byte[][] Seen => [.. _seen];

    public void SendAgain(byte[] datagram) => _far.Send(datagram);

    public void Dispose()
    {
        _near.Dispose();
        _far.Dispose();
    }

    private async Task ToServerAsync()
    {
        var buffer = new byte[65536];
        try
        {
            while (true)
            {
                SocketReceiveFromResult received = await _near.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0));
                _client = received.RemoteEndPoint;
                _seen.Enqueue(buffer[..received.ReceivedBytes]);
                await _far.SendAsync(buffer.AsMemory(0, received.ReceivedBytes));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // disposed
        }
    }

    private async Task ToClientAsync()
    {
        var buffer = new byte[65536];
        try
        {
            while (true)
            {
                int count = await _far.ReceiveAsync(buffer);
                if (_client is { } client) await _near.SendToAsync(buffer.AsMemory(0, count), client);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // disposed
        }
    }
}

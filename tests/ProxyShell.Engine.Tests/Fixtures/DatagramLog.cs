using System.Net.Sockets;
using System.Threading.Channels;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>Keeps what a datagram socket receives, and may answer it.</summary>
internal sealed class DatagramLog : IDatagramReceiver
{
    private readonly Channel<(DatagramPeer From, byte[] Bytes)> _received = Channel.CreateUnbounded<(DatagramPeer, byte[])>();
    private readonly Channel<SocketError> _errors = Channel.CreateUnbounded<SocketError>();

    /// <summary>What is done with each datagram besides keeping it.</summary>
    public Action<DatagramSocket, DatagramPeer, byte[]>? Answer { get; init; }

    /// <summary>Sends everything back out of the receiver's own memory, as a relay would.</summary>
    public bool Echoes { get; init; }

    public async Task<(DatagramPeer From, byte[] Bytes)> NextAsync() => await _received.Reader.ReadAsync().AsTask().Within();

    public async Task<SocketError> ErrorAsync() => await _errors.Reader.ReadAsync().AsTask().Within();

    public bool IsEmpty => _received.Reader.Count == 0;

    public void OnReceived(DatagramSocket socket, in DatagramPeer from, ReadOnlySpan<byte> datagram)
    {
        if (Echoes) socket.SendTo(from, default, datagram);
        else _received.Writer.TryWrite((from, datagram.ToArray()));
        Answer?.Invoke(socket, from, datagram.ToArray());
    }

    public void OnError(DatagramSocket socket, SocketError error) => _errors.Writer.TryWrite(error);
}

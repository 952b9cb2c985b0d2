using System.Net;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>A port on which one connection is awaited: the first that is admitted is taken, all others are cut off.</summary>
internal sealed class SocksBinding : IAsyncDisposable
{
    private readonly ConnectionListener _listener;
    private readonly Func<IPEndPoint, bool> _admits;
    private readonly TaskCompletionSource<DuplexConnection> _peer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _taken;
    private bool _disposed;

    /// <summary>Listens on any free port of the address; <paramref name="admits"/> must not take long.</summary>
    public SocksBinding(SocketTransport sockets, IPAddress address, Func<IPEndPoint, bool> admits)
    {
        _admits = admits;
        _listener = sockets.Listen(new IPEndPoint(address, 0));
        _listener.Start(OnAccepted, static _ => { });
    }

    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndPoint;

    /// <summary>Completes when the peer is there, which still belongs to the binding.</summary>
    public Task Peer => _peer.Task;

    /// <summary>Hands over the peer that is there; the caller owns the connection.</summary>
    public async ValueTask<DuplexConnection> TakeAsync()
    {
        _taken = true;
        return await _peer.Task.ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;
        _disposed = true;
        await _listener.DisposeAsync().ConfigureAwait(false);
        bool came = !_peer.TrySetCanceled();
        if (came && !_taken) await (await _peer.Task.ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
    }

    private void OnAccepted(DuplexConnection connection)
    {
        if (connection.RemoteEndPoint is IPEndPoint remote && _admits(remote) && _peer.TrySetResult(connection)) return;
        connection.Abort();
    }
}

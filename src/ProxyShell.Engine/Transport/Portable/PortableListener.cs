using System.Net;
using System.Net.Sockets;

namespace ProxyShell.Engine.Transport.Portable;

/// <summary>A listening .NET socket with one accept loop.</summary>
internal sealed class PortableListener(Socket socket) : ConnectionListener
{
    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;

    public override EndPoint LocalEndPoint { get; } = socket.LocalEndPoint!;

    public override void Start(Action<DuplexConnection> accepted, Action<Exception> trouble) =>
        _loop = Task.Run(() => AcceptAsync(accepted, trouble));

    public override async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        socket.Dispose();
        await _loop.ConfigureAwait(false);
        _stop.Dispose();
    }

    // some systems answer any question about a connection that was reset meanwhile with an error: that is no trouble of the listener
    private PortableConnection? Adopt(Socket client)
    {
        try
        {
            if (LocalEndPoint is IPEndPoint) PortableTransport.Tune(client);
            return new PortableConnection(client);
        }
        catch (SocketException)
        {
            client.Dispose();
            return null;
        }
    }

    private async Task AcceptAsync(Action<DuplexConnection> accepted, Action<Exception> trouble)
    {
        var backOff = new AcceptBackOff();
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Socket client = await socket.AcceptAsync(_stop.Token).ConfigureAwait(false);
                backOff.Reset();
                if (Adopt(client) is { } connection) accepted(connection);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                if (_stop.IsCancellationRequested) return;
                trouble(e);
                await Task.Delay(backOff.Next(), _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}

using System.Net;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>
/// A loopback port for one ssh program, behind which is the connection to its server. The first to connect gets it and the port is closed;
/// whoever else came first would meet an SSH server that asks for a key.
/// </summary>
internal sealed class SshBridge : IAsyncDisposable
{
    private readonly DuplexConnection _via;
    private readonly ConnectionListener _listener;
    private readonly TaskCompletionSource<DuplexConnection?> _accepted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _relaying;

    private SshBridge(DuplexConnection via)
    {
        _via = via;
        _listener = SocketTransport.Default.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        _relaying = RelayAsync();
        _listener.Start(OnAccepted, _ => { });
    }

    /// <summary>Where ssh shall connect.</summary>
    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndPoint;

    public static SshBridge Open(DuplexConnection via) => new(via);

    public async ValueTask DisposeAsync()
    {
        _accepted.TrySetResult(null);
        _via.Abort();
        await _relaying.ConfigureAwait(false);
    }

    private void OnAccepted(DuplexConnection connection)
    {
        if (!_accepted.TrySetResult(connection)) connection.Abort();
    }

    // a failure shows in ssh's own words, which are told
    private async Task RelayAsync()
    {
        DuplexConnection? ssh = await _accepted.Task.ConfigureAwait(false);
        await _listener.DisposeAsync().ConfigureAwait(false);
        if (ssh is not null) await Relay.RunAsync(ssh, _via, new Traffic()).ConfigureAwait(false);
        await _via.DisposeAsync().ConfigureAwait(false);
    }
}

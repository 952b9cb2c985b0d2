using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Serving;

/// <summary>Services that listen on more than one address.</summary>
public abstract partial class ListenerService
{
    private readonly List<ServiceEntrance> _open = [];

    /// <summary>The entrances that are bound with the service's own address, so that a busy port fails the start.</summary>
    private protected virtual IReadOnlyList<ServiceEntrance> Entrances => [];

    /// <summary>All addresses that are bound from start to stop; before the start those asked for.</summary>
    internal IEnumerable<System.Net.EndPoint> LocalEndPoints => [LocalEndPoint, .. Entrances.Select(entrance => entrance.LocalEndPoint)];

    /// <summary>Binds one more entrance while the service runs, and begins to accept there.</summary>
    /// <exception cref="ProxyException">The address cannot be bound, or the service is stopping.</exception>
    internal void Open(ServiceEntrance entrance)
    {
        lock (_gate)
        {
            if (State != ServiceState.Running) throw new ProxyException(ProxyErrorReason.Stopping, ProxyStage.Listen);
            entrance.Bind(CurrentOptions.Sockets);
            _open.Add(entrance);
        }
        Start(entrance);
    }

    /// <summary>Stops accepting there; connections that came in live on.</summary>
    internal ValueTask CloseAsync(ServiceEntrance entrance)
    {
        lock (_gate) _open.Remove(entrance);
        return entrance.CloseAsync();
    }

    private void BindEntrances()
    {
        foreach (ServiceEntrance entrance in Entrances)
        {
            _open.Add(entrance);
            entrance.Bind(CurrentOptions.Sockets);
        }
    }

    // all or none
    private async ValueTask UnbindAsync()
    {
        await CloseEntrancesAsync().ConfigureAwait(false);
        if (_listener is not null) await _listener.DisposeAsync().ConfigureAwait(false);
        _datagrams?.Dispose();
        (_listener, _datagrams) = (null, null);
    }

    private void StartEntrances()
    {
        foreach (ServiceEntrance entrance in Entrances) Start(entrance);
    }

    private void Start(ServiceEntrance entrance) => entrance.Start(
        accepted => OnAccepted(accepted, entrance.SetupOf(Setup)),
        error => OnAcceptTrouble(entrance.LocalEndPoint, error));

    private async ValueTask CloseEntrancesAsync()
    {
        ServiceEntrance[] open;
        lock (_gate)
        {
            open = [.. _open];
            _open.Clear();
        }
        foreach (ServiceEntrance entrance in open) await entrance.CloseAsync().ConfigureAwait(false);
    }
}

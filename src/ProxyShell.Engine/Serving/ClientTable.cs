using System.Net;
using ProxyShell.Engine.Relaying;

namespace ProxyShell.Engine.Serving;

/// <summary>
/// The clients that have connections now. They are counted whether there is a limit or not, so that a limit which is set on a running
/// service holds for what is open already.
/// </summary>
internal sealed class ClientTable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ClientKey, ClientShare> _clients = [];
    private readonly ClientShare _unaddressed;

    private readonly BandwidthLimits _limits;
    private long _clientRate;

    public ClientTable(TimeProvider time)
    {
        _limits = new BandwidthLimits(time);
        _unaddressed = new ClientShare(this, null, new Bandwidth(_limits));
    }

    /// <summary>How many clients there are.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _clients.Count;
        }
    }

    /// <summary>Counts one more connection of the client; null when it has as many as the limit allows (0 for none).</summary>
    public ClientShare? TryEnter(EndPoint? client, int limit)
    {
        if (ClientKey.Of(client) is not { } key) return _unaddressed;
        lock (_gate)
        {
            if (!_clients.TryGetValue(key, out ClientShare? share)) _clients.Add(key, share = NewShare(key));
            if (limit > 0 && share.Connections >= limit) return null;
            share.Connections++;
            return share;
        }
    }

    /// <summary>Sets the rates in bytes per second, 0 for none: of the whole service, and of each client.</summary>
    public void SetRates(long service, long client)
    {
        _limits.SetRate(service);
        lock (_gate)
        {
            _clientRate = client;
            foreach (ClientShare share in _clients.Values) share.Bandwidth.SetClientRate(client);
        }
    }

    public void Leave(ClientShare share)
    {
        if (share.Key is not { } key) return;
        lock (_gate)
        {
            if (--share.Connections == 0) _clients.Remove(key);
        }
    }

    private ClientShare NewShare(ClientKey key)
    {
        var bandwidth = new Bandwidth(_limits);
        bandwidth.SetClientRate(_clientRate);
        return new ClientShare(this, key, bandwidth);
    }
}

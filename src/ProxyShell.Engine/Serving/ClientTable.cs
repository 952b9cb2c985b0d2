using System.Net;

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

    public ClientTable() => _unaddressed = new ClientShare(this, null);

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
            if (!_clients.TryGetValue(key, out ClientShare? share)) _clients.Add(key, share = new ClientShare(this, key));
            if (limit > 0 && share.Connections >= limit) return null;
            share.Connections++;
            return share;
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
}

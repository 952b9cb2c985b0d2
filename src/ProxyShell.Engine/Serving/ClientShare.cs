using ProxyShell.Engine.Relaying;

namespace ProxyShell.Engine.Serving;

/// <summary>What all connections of one client share: their number and their bandwidth.</summary>
internal sealed class ClientShare(ClientTable table, ClientKey? key, Bandwidth bandwidth)
{
    public ClientKey? Key => key;

    /// <summary>What they may move, the service's own limit included.</summary>
    public Bandwidth Bandwidth => bandwidth;

    /// <summary>Connections that are open now; the table's own, under its lock.</summary>
    public int Connections { get; set; }

    /// <summary>A connection has ended; to be said once for each that entered.</summary>
    public void Leave() => table.Leave(this);
}

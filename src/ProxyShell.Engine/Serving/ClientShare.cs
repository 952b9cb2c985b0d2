namespace ProxyShell.Engine.Serving;

/// <summary>What all connections of one client share: their number.</summary>
internal sealed class ClientShare(ClientTable table, ClientKey? key)
{
    public ClientKey? Key => key;

    /// <summary>Connections that are open now; the table's own, under its lock.</summary>
    public int Connections { get; set; }

    /// <summary>A connection has ended; to be said once for each that entered.</summary>
    public void Leave() => table.Leave(this);
}

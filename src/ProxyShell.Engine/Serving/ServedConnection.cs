using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Serving;

/// <summary>A client's connection while a service serves it.</summary>
internal sealed class ServedConnection(DuplexConnection client, ProxyConnection record, SetUpClock clock, ClientShare? share)
{
    private bool _setUpEnded;

    /// <summary>The connection; after a TLS handshake the encrypted one.</summary>
    public DuplexConnection Client { get; set; } = client;

    public ProxyConnection Record => record;

    /// <summary>Whether it is a channel of another connection's session: what comes before a request there came once for all.</summary>
    public bool IsChannel { get; init; }

    /// <summary>What it shares with the client's other connections; null until the client is known, which a PROXY header may yet tell.</summary>
    public ClientShare? Share { get; set; } = share;

    /// <summary>What it may move; relays, forwarded bodies and datagrams keep to it.</summary>
    public Bandwidth Bandwidth => Share?.Bandwidth ?? Bandwidth.Unlimited;

    /// <summary>Who connected to which address: what a PROXY header told, else what the connection itself says.</summary>
    public ProxyHeader Addresses
    {
        // asking the system is left to the first who wants to know
        get => field.TellsAddresses ? field : field = new ProxyHeader(true, Client.RemoteEndPoint, Client.LocalEndPoint);
        set;
    } = ProxyHeader.Unknown;

    /// <summary>The deadline of the step under way; given back when set-up is over.</summary>
    public SetUpClock Clock { get; } = clock;

    /// <summary>Whether the client was told what went wrong, in its protocol.</summary>
    public bool WasTold { get; set; }

    /// <summary>Whether this counts as turning a client away rather than as a failure.</summary>
    public bool WasRefused { get; set; }

    /// <summary>Whether it has reached a destination.</summary>
    public bool WasOpened { get; set; }

    /// <summary>Lays TLS over the connection, within the time of the clock.</summary>
    public async Task EncryptAsync(TlsServer tls, TimeProvider time)
    {
        try
        {
            Client = await tls.AcceptAsync(Client, Clock.Token).ConfigureAwait(false);
            record.ReplaceClient(Client);
        }
        catch (ProxyException e)
        {
            WasRefused = true;
            if (e.Reason == ProxyErrorReason.AuthenticationFailed)
            {
                // an end in order, so that a reset does not destroy the alert where the system's TLS sends one
                WasTold = true;
                await LingeringClose.RunAsync(Client, time).ConfigureAwait(false);
            }
            throw;
        }
    }

    /// <summary>From here on no deadline runs; called when relaying starts or the connection ends, whichever comes first.</summary>
    public void EndSetUp()
    {
        if (_setUpEnded) return;
        _setUpEnded = true;
        record.SetUpWith(null);
        Clock.Return();
    }
}

using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>What a service lends its protocols, and the steps that all of them share.</summary>
internal sealed partial class InboundContext(ServiceOptions options, ConnectionRegistry registry, Outbound outbound, IReadOnlyList<ProxyCredential> credentials)
{
    public ServiceOptions Options => options;

    public TimeProvider Time => options.TimeProvider;

    /// <summary>The way out.</summary>
    public Outbound Outbound => outbound;

    /// <summary>The users; when there are any, a client must be one of them.</summary>
    public IReadOnlyList<ProxyCredential> Credentials => credentials;

    /// <summary>Whether this is one of the users, or there are none; looks at all of them, so that the time tells nothing.</summary>
    public bool Admits(string userName, string password) =>
        credentials.Count == 0 || credentials.Aggregate(false, (found, credential) => found | credential.Matches(userName, password));

    /// <summary>
    /// Connects to what the client asked for, within the connect time. A failure is thrown as it is, with <see cref="ServedConnection.WasRefused"/>
    /// set when this service forbids the destination itself; the protocol tells the client and throws it on.
    /// </summary>
    public async ValueTask<DuplexConnection> ConnectAsync(ServedConnection served, string protocol, FlightTarget target, EarlyPayload? early = null)
    {
        ProxyConnection record = served.Record;
        (record.Protocol, record.Destination, record.State) = (protocol, target.Address!.ToString(), ConnectionState.Connecting);
        served.Clock.Allow(options.ConnectTimeout);
        try
        {
            DuplexConnection upstream = await outbound.ConnectAsync(record, target, early, served.Clock.Allowed, served.Clock.Token).ConfigureAwait(false);
            record.AttachUpstream(upstream);
            return upstream;
        }
        catch (ProxyException e)
        {
            served.WasRefused = e is { Stage: ProxyStage.Policy, HopNumber: null };
            throw;
        }
    }

    /// <summary>Puts on record that the destination is reached; the event is written once for a connection, whatever it reaches later.</summary>
    public void NoteOpen(ServedConnection served)
    {
        served.Record.State = ConnectionState.Open;
        if (served.WasOpened) return;
        served.WasOpened = true;
        registry.Write(ProxyEventKind.Opened, "opened", connection: served.Record);
    }

    /// <summary>Set-up is over: relays until the end, and throws what failed. Closes the upstream side.</summary>
    public async Task RelayAsync(ServedConnection served, DuplexConnection client, DuplexConnection upstream)
    {
        await using (upstream.ConfigureAwait(false))
        {
            served.EndSetUp();
            NoteOpen(served);
            if (await Relay.RunAsync(client, upstream, served.Record, served.Bandwidth).ConfigureAwait(false) is { } failure) throw failure;
        }
    }

    /// <summary>
    /// Sends a client its last words and lingers until it has read them. An answer that cannot be delivered changes nothing: the failure
    /// that it tells of is on record.
    /// </summary>
    public async Task TellAsync(ServedConnection served, ReadOnlyMemory<byte> answer)
    {
        try
        {
            using var limit = new CancellationTokenSource(options.HandshakeTimeout, Time);
            await served.Client.WriteAsync(answer, limit.Token).ConfigureAwait(false);
            served.WasTold = true;
            await LingeringClose.RunAsync(served.Client, Time).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ProxyException or OperationCanceledException)
        {
            served.Client.Abort();
        }
    }

    /// <summary>Reads more of a request; the end of the stream or its breaking off is thrown, with the client at fault.</summary>
    public static async ValueTask ReadMoreAsync(ServedConnection served, HeaderReader reader, string what)
    {
        try
        {
            if (await reader.ReadMoreAsync(served.Clock.Token).ConfigureAwait(false)) return;
        }
        catch (ProxyException e)
        {
            served.WasRefused = true;
            throw new ProxyException(e.Reason, ProxyStage.Request, "client", $"{e.Detail} instead of {what}", e) { Side = ProxySide.Client };
        }
        throw Refused(served, ProxyErrorReason.ConnectionClosed, reader.Bytes.IsEmpty ? $"closed the connection without {what}" : $"closed the connection within {what}");
    }

    /// <summary>The error for a client that did not keep to its protocol or is not admitted.</summary>
    public static ProxyException Refused(ServedConnection served, ProxyErrorReason reason, string detail)
    {
        served.WasRefused = true;
        return new ProxyException(reason, ProxyStage.Request, "client", detail) { Side = ProxySide.Client };
    }
}

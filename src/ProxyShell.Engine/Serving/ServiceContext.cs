using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Serving;

/// <summary>What a service lends those who serve its clients, and the steps that all of them share.</summary>
internal class ServiceContext(ServiceOptions options, ConnectionRegistry registry)
{
    /// <summary>Cancelled when the service begins to stop.</summary>
    public CancellationToken Stopping => registry.Stopping;

    public ServiceOptions Options => options;

    public TimeProvider Time => options.TimeProvider;

    public ConnectionRegistry Registry => registry;

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

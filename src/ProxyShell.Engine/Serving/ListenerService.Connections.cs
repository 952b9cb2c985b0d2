using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Serving;

/// <summary>The life of one connection, from accept to its last event.</summary>
public abstract partial class ListenerService
{
    /// <summary>Serves one connection and closes it. Failures are thrown as <see cref="ProxyException"/>s.</summary>
    private protected abstract Task ServeAsync(ServedConnection served);

    /// <summary>Tells a client over the limit why it is turned away, and closes the connection; must not take long.</summary>
    private protected virtual ValueTask TurnAwayAsync(DuplexConnection connection) => connection.DisposeAsync();

    private void OnAccepted(DuplexConnection accepted)
    {
        ClientShare? share = _admission.TryEnter(accepted.RemoteEndPoint, out Refusal refusal);
        int limit = share is not null && State == ServiceState.Running ? _options.MaxConnections : 0;
        if (Registry.TryOpen(accepted.RemoteEndPoint, accepted, limit) is { } record)
        {
            _ = RunAsync(new ServedConnection(accepted, record, SetUpClock.Rent(_options.TimeProvider), share!));
            return;
        }
        share?.Leave();
        _ = RefuseAsync(accepted, share is null ? refusal : Refusal.TooMany);
    }

    // owned by the registry: the service has stopped when no record is left, and the record ends here
    private async Task RunAsync(ServedConnection served)
    {
        ProxyException? error = null;
        try
        {
            served.Record.SetUpWith(served.Clock.Source);
            served.Clock.Allow(_options.HandshakeTimeout);
            if (_certificate is not null) await EncryptAsync(served).ConfigureAwait(false);
            await ServeAsync(served).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            error = Explain(e, served);
        }
        served.EndSetUp();
        await CloseAsync(served, error).ConfigureAwait(false);
        served.Share.Leave();
        Registry.End(served.Record, error, served.WasRefused);
    }

    private async Task EncryptAsync(ServedConnection served)
    {
        try
        {
            served.Client = await TlsTransport.AcceptAsync(served.Client, _certificate!, served.Clock.Token).ConfigureAwait(false);
            served.Record.ReplaceClient(served.Client);
        }
        catch (ProxyException)
        {
            served.WasRefused = true;
            throw;
        }
    }

    private static ProxyException Explain(Exception e, ServedConnection served)
    {
        ProxyErrorReason abort = served.Record.AbortReason;
        if (abort != ProxyErrorReason.None) return new ProxyException(abort, ProxyStage.Relay, null, null, e);
        if (e is ProxyException known) return known;
        if (e is not OperationCanceledException) return new ProxyException(ProxyErrorReason.Other, ProxyStage.None, "internal error", e.ToString(), e);
        bool handshake = served.Record.State == ConnectionState.Accepted;
        served.WasRefused = handshake;
        return handshake
            ? new ProxyException(ProxyErrorReason.TimedOut, ProxyStage.Request, "client", $"sent no complete request within {served.Clock.Allowed.TotalSeconds:0.###} s", e)
            : new ProxyException(ProxyErrorReason.TimedOut, ProxyStage.Dial, served.Record.Destination, $"not reached within {served.Clock.Allowed.TotalSeconds:0.###} s", e);
    }

    private static async ValueTask CloseAsync(ServedConnection served, ProxyException? error)
    {
        // a client that was told why reads the answer and the end; one that was not shall see a failure, not an empty answer
        if (error is not null && !served.WasTold) served.Client.Abort();
        await served.Client.DisposeAsync().ConfigureAwait(false);
    }

    private async Task RefuseAsync(DuplexConnection accepted, Refusal refusal)
    {
        if (State == ServiceState.Running) _refusals.Note(refusal, accepted.RemoteEndPoint, _options);
        else Registry.CountRefused();
        if (refusal == Refusal.Source)
        {
            // who is not admitted learns nothing, not even what listens here
            accepted.Abort();
            return;
        }
        try
        {
            await TurnAwayAsync(accepted).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ProxyException or OperationCanceledException)
        {
            accepted.Abort();
        }
    }
}

using System.Net;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
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
        // behind a balancer the client is known when its header is read
        var refusal = Refusal.TooMany;
        ClientShare? share = _options.AcceptProxyProtocol ? null : _admission.TryEnter(accepted.RemoteEndPoint, out refusal);
        bool isAdmitted = share is not null || _options.AcceptProxyProtocol;
        int limit = isAdmitted && State == ServiceState.Running ? _options.MaxConnections : 0;
        if (Registry.TryOpen(accepted.RemoteEndPoint, accepted, limit) is { } record)
        {
            _ = RunAsync(new ServedConnection(accepted, record, SetUpClock.Rent(_options.TimeProvider), share));
            return;
        }
        share?.Leave();
        _ = RefuseAsync(accepted, isAdmitted ? Refusal.TooMany : refusal, accepted.RemoteEndPoint);
    }

    // owned by the registry: the service has stopped when no record is left, and the record ends here
    private async Task RunAsync(ServedConnection served)
    {
        ProxyException? error = null;
        try
        {
            served.Record.SetUpWith(served.Clock.Source);
            served.Clock.Allow(_options.HandshakeTimeout);
            if (served.Share is null && await IntroduceAsync(served).ConfigureAwait(false) is { } refusal)
            {
                await TurnAwayAsync(served, refusal).ConfigureAwait(false);
                return;
            }
            if (_tls is not null) await EncryptAsync(served).ConfigureAwait(false);
            await ServeAsync(served).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            error = Explain(e, served);
        }
        served.EndSetUp();
        await CloseAsync(served, error).ConfigureAwait(false);
        served.Share?.Leave();
        Registry.End(served.Record, error, served.WasRefused);
    }

    // a PROXY header tells who the client is, and only then can be said whether it may come in
    private async ValueTask<Refusal?> IntroduceAsync(ServedConnection served)
    {
        ProxyHeader header = await ProxyHeaderReader.ReadAsync(served).ConfigureAwait(false);
        served.Addresses = header;
        if (header.TellsAddresses) served.Record.ClientEndPoint = header.Source;
        served.Share = _admission.TryEnter(served.Record.ClientEndPoint, out Refusal refusal);
        return served.Share is null ? refusal : null;
    }

    private async ValueTask TurnAwayAsync(ServedConnection served, Refusal refusal)
    {
        served.EndSetUp();
        await RefuseAsync(served.Client, refusal, served.Record.ClientEndPoint).ConfigureAwait(false);
        Registry.Leave(served.Record, new ProxyException(refusal == Refusal.Source ? ProxyErrorReason.ClientNotAdmitted : ProxyErrorReason.LimitExceeded, ProxyStage.Request, "client"));
    }

    private async Task EncryptAsync(ServedConnection served)
    {
        try
        {
            served.Client = await _tls!.AcceptAsync(served.Client, served.Clock.Token).ConfigureAwait(false);
            served.Record.ReplaceClient(served.Client);
        }
        catch (ProxyException e)
        {
            served.WasRefused = true;
            if (e.Reason == ProxyErrorReason.AuthenticationFailed)
            {
                // an end in order, so that a reset does not destroy the alert where the system's TLS sends one
                served.WasTold = true;
                await LingeringClose.RunAsync(served.Client, _options.TimeProvider).ConfigureAwait(false);
            }
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

    private async Task RefuseAsync(DuplexConnection accepted, Refusal refusal, EndPoint? client)
    {
        if (State == ServiceState.Running) _refusals.Note(refusal, client, _options);
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

using System.Net;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Serving;

/// <summary>The life of one connection, from accept to its last event.</summary>
public abstract partial class ListenerService
{
    /// <summary>How many connections the service's own address has beyond the limit, which clients of other entrances may have used up.</summary>
    private protected virtual long OwnRoom => 0;

    private void OnAccepted(DuplexConnection accepted) => OnAccepted(accepted, Setup, OwnRoom);

    private void OnAccepted(DuplexConnection accepted, ServiceSetup setup, long room = 0)
    {
        // behind a balancer the client is known when its header is read
        ServiceOptions options = setup.Options;
        var refusal = Refusal.TooMany;
        ClientShare? share = options.AcceptProxyProtocol ? null : setup.Admission.TryEnter(accepted.RemoteEndPoint, out refusal);
        bool isAdmitted = share is not null || options.AcceptProxyProtocol;
        int limit = isAdmitted && State == ServiceState.Running ? (int)Math.Min(options.MaxConnections + room, int.MaxValue) : 0;
        if (Registry.TryOpen(accepted.RemoteEndPoint, accepted, limit) is { } record)
        {
            _ = RunAsync(new ServedConnection(accepted, record, SetUpClock.Rent(options.TimeProvider), share), setup);
            return;
        }
        share?.Leave();
        _ = RefuseAsync(accepted, isAdmitted ? Refusal.TooMany : refusal, accepted.RemoteEndPoint, setup);
    }

    // owned by the registry: the service has stopped when no record is left, and the record ends here
    private async Task RunAsync(ServedConnection served, ServiceSetup setup)
    {
        ProxyException? error = null;
        try
        {
            served.Record.SetUpWith(served.Clock.Source);
            served.Clock.Allow(setup.Options.HandshakeTimeout);
            bool isReady = served.IsChannel || (served.Share is not null && setup.Tls is null);
            if (!isReady && !await PrepareAsync(served, setup).ConfigureAwait(false)) return;
            await setup.Clients.ServeAsync(served).ConfigureAwait(false);
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

    // apart, so that what it needs is not kept for as long as the connection lives
    private async ValueTask<bool> PrepareAsync(ServedConnection served, ServiceSetup setup)
    {
        if (served.Share is null && await IntroduceAsync(served, setup).ConfigureAwait(false) is { } refusal)
        {
            await TurnAwayAsync(served, refusal, setup).ConfigureAwait(false);
            return false;
        }
        if (setup.Tls is { } tls) await served.EncryptAsync(tls, setup.Options.TimeProvider).ConfigureAwait(false);
        return true;
    }

    // a PROXY header tells who the client is, and only then can be said whether it may come in
    private static async ValueTask<Refusal?> IntroduceAsync(ServedConnection served, ServiceSetup setup)
    {
        ProxyHeader header = await ProxyHeaderReader.ReadAsync(served).ConfigureAwait(false);
        served.Addresses = header;
        if (header.TellsAddresses) served.Record.ClientEndPoint = header.Source;
        served.Share = setup.Admission.TryEnter(served.Record.ClientEndPoint, out Refusal refusal);
        return served.Share is null ? refusal : null;
    }

    private async ValueTask TurnAwayAsync(ServedConnection served, Refusal refusal, ServiceSetup setup)
    {
        served.EndSetUp();
        await RefuseAsync(served.Client, refusal, served.Record.ClientEndPoint, setup).ConfigureAwait(false);
        Registry.Leave(served.Record, new ProxyException(refusal == Refusal.Source ? ProxyErrorReason.ClientNotAdmitted : ProxyErrorReason.LimitExceeded, ProxyStage.Request, "client"));
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
        if (error is not null && !served.WasTold) served.Client.Abort(error);
        await served.Client.DisposeAsync().ConfigureAwait(false);
    }

    private async Task RefuseAsync(DuplexConnection accepted, Refusal refusal, EndPoint? client, ServiceSetup setup)
    {
        if (State == ServiceState.Running) _refusals.Note(refusal, client, setup.Options);
        else Registry.CountRefused();
        if (refusal == Refusal.Source)
        {
            // who is not admitted learns nothing, not even what listens here
            accepted.Abort();
            return;
        }
        try
        {
            await setup.Clients.TurnAwayAsync(accepted).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ProxyException or OperationCanceledException)
        {
            accepted.Abort();
        }
    }
}

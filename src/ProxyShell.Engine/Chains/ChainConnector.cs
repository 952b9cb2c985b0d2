using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>Connects to a destination through a chain; every failure names the hop or destination at fault.</summary>
internal sealed class ChainConnector(Dialer dialer, TimeProvider time)
{
    /// <summary>
    /// Connects. The policy concerns the destination only: hops are the operator's own choice. A cancelled token counts as a
    /// time-out, since deadlines are its use here; who cancels for another reason knows.
    /// </summary>
    public ValueTask<DuplexConnection> ConnectAsync(
        ProxyChain chain, TransportAddress destination, DestinationPolicy policy, CancellationToken cancellationToken, EarlyPayload? early = null) =>
        ConnectAsync(chain, destination, policy, TlsTrust.System, null, early, cancellationToken);

    /// <summary>Connects; trust and name are for a destination that is TLS itself.</summary>
    public async ValueTask<DuplexConnection> ConnectAsync(
        ProxyChain chain, TransportAddress destination, DestinationPolicy policy, TlsTrust trust, string? serverName, EarlyPayload? early,
        CancellationToken cancellationToken)
    {
        if (chain.Count == 0) return await DialAsync(destination, policy, trust, serverName, HopNaming.Destination(destination), null, cancellationToken).ConfigureAwait(false);
        if (destination.Endpoint is { } endpoint ? !policy.AllowsUnresolved(endpoint) : !policy.AllowsUnixSockets)
            throw new ProxyException(ProxyErrorReason.Forbidden, ProxyStage.Policy, HopNaming.Destination(destination));
        DuplexConnection connection = await DialFirstAsync(chain, cancellationToken).ConfigureAwait(false);
        var flight = new RelayFlight(connection, chain, destination, time);
        await EstablishAsync(connection, flight, chain, early, cancellationToken).ConfigureAwait(false);
        return flight.Payload;
    }

    /// <summary>Connects to the first hop.</summary>
    public ValueTask<DuplexConnection> DialFirstAsync(ProxyChain chain, CancellationToken cancellationToken)
    {
        ProxyHop hop = chain.Hops[0];
        return DialAsync(hop.Address, DestinationPolicy.AllowAll, hop.Trust, hop.ServerName, HopNaming.Hop(1, hop), 1, cancellationToken);
    }

    /// <summary>Sends the headers and reads the answers; on failure the connection is closed.</summary>
    public static async ValueTask<Protocols.RelayResponse[]> EstablishAsync(
        DuplexConnection connection, RelayFlight flight, ProxyChain chain, EarlyPayload? early, CancellationToken cancellationToken)
    {
        try
        {
            await flight.SendAsync(cancellationToken).ConfigureAwait(false);
            return early is null
                ? await flight.ReadAnswersAsync(cancellationToken).ConfigureAwait(false)
                : await ReadAnswersBesideAsync(flight, early, connection, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // in order, not as a reset: to the hops before the one at fault nothing failed
            await connection.DisposeAsync().ConfigureAwait(false);
            if (e is not OperationCanceledException) throw;
            string subject = HopNaming.Hop(flight.Awaited, chain.Hops[flight.Awaited - 1]);
            throw new ProxyException(ProxyErrorReason.TimedOut, ProxyStage.Request, subject, "no answer in time", e) { HopNumber = flight.Awaited };
        }
    }

    private static async ValueTask<Protocols.RelayResponse[]> ReadAnswersBesideAsync(
        RelayFlight flight, EarlyPayload early, DuplexConnection connection, CancellationToken cancellationToken)
    {
        using var stop = new CancellationTokenSource();
        Task sending = early.SendAsync(flight.Payload, stop.Token);
        try
        {
            return await flight.ReadAnswersAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            // a write that waits for a dead hop would never end by itself
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await sending.ConfigureAwait(false);
        }
    }

    private async ValueTask<DuplexConnection> DialAsync(
        TransportAddress address, DestinationPolicy policy, TlsTrust trust, string? serverName, string subject, int? hop, CancellationToken cancellationToken)
    {
        try
        {
            return await dialer.DialAsync(address, policy, trust, serverName, cancellationToken).ConfigureAwait(false);
        }
        catch (ProxyException e)
        {
            throw new ProxyException(e.Reason, e.Stage, subject, e.Detail, e) { HopNumber = hop };
        }
        catch (OperationCanceledException e)
        {
            throw new ProxyException(ProxyErrorReason.TimedOut, ProxyStage.Dial, subject, "timed out", e) { HopNumber = hop };
        }
    }
}

using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains.Pool;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>
/// Connects along a path: dials its first hop, then has hop after hop connect to the next, each over the connection so far. Relay hops
/// in a row are set up in one flight; the others one by one.
/// </summary>
internal sealed partial class PathConnector(Dialer dialer, TimeProvider time, SessionPool? pool = null)
{
    /// <summary>Connects to the destination directly.</summary>
    public ValueTask<DuplexConnection> DialDestinationAsync(FlightTarget target, DestinationPolicy policy, CancellationToken cancellationToken) =>
        target.Address!.IsMultiplexed
            ? JoinDestinationAsync(target, policy, cancellationToken)
            : DialAsync(target, policy, HopNaming.Destination(target.Address!), null, cancellationToken);

    /// <summary>Connects through all hops of the path; without an address in the target, the last hop, a relay hop, becomes a probe and echoes.</summary>
    public async ValueTask<DuplexConnection> ConnectAsync(ChainPath path, FlightTarget target, EarlyPayload? early, CancellationToken cancellationToken)
    {
        DuplexConnection? connection = null;
        for (int index = path.StartFor(path.Hops.Count - 1); index < path.Hops.Count;)
        {
            int end = path.EndOfFlight(index);
            connection = await PassAsync(connection, path, index, end, Next(path, end, target), end == path.Hops.Count ? early : null, cancellationToken).ConfigureAwait(false);
            index = end;
        }
        return connection!;
    }

    /// <summary>Connects through the hops before this one, and to it; what its own protocol demands is not begun.</summary>
    public ValueTask<DuplexConnection> ReachAsync(ChainPath path, int index, CancellationToken cancellationToken) =>
        ReachAsync(path, index, DestinationPolicy.AllowAll, cancellationToken);

    private async ValueTask<DuplexConnection> ReachAsync(ChainPath path, int index, DestinationPolicy policy, CancellationToken cancellationToken)
    {
        DuplexConnection? connection = null;
        for (int passed = path.StartFor(index); passed < index;)
        {
            // a flight ends before the hop that is to be reached only; the path is the whole one, so that who fails is called a hop
            int end = Math.Min(path.EndOfFlight(passed), index);
            connection = await PassAsync(connection, path, passed, end, Next(path, end, default), null, cancellationToken).ConfigureAwait(false);
            passed = end;
        }
        return await StepAsync(connection, path, index, policy, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sends the headers of a flight and reads the answers; on failure the connection is closed.</summary>
    public static async ValueTask<RelayResponse[]> EstablishAsync(
        DuplexConnection connection, RelayFlight flight, ChainPath path, EarlyPayload? early, CancellationToken cancellationToken)
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
            throw path.Fault(flight.Awaited, ProxyErrorReason.TimedOut, ProxyStage.Request, "no answer in time", e);
        }
    }

    // one hop, or a flight of relay hops, up to the next address
    private async ValueTask<DuplexConnection> PassAsync(
        DuplexConnection? connection, ChainPath path, int index, int end, FlightTarget next, EarlyPayload? early, CancellationToken cancellationToken)
    {
        ProxyHop hop = path.Hops[index];
        if (hop.Protocol != HopProtocol.Relay) return await AskAsync(connection, path, index, next, cancellationToken).ConfigureAwait(false);
        DuplexConnection first = await StepAsync(connection, path, index, DestinationPolicy.AllowAll, cancellationToken).ConfigureAwait(false);
        var flight = new RelayFlight(first, path, index, end, next, time);
        await EstablishAsync(first, flight, path, early, cancellationToken).ConfigureAwait(false);
        return flight.Payload;
    }

    private async ValueTask<DuplexConnection> AskAsync(DuplexConnection? connection, ChainPath path, int index, FlightTarget next, CancellationToken cancellationToken)
    {
        ProxyHop hop = path.Hops[index];
        DuplexConnection? current = connection;
        try
        {
            if (next.Address!.IsMultiplexed) throw new ProxyException(ProxyErrorReason.Unsupported, ProxyStage.Request, null, $"{hop.Scheme} keeps no sessions to {next.Address}");
            HostEndpoint endpoint = next.Address.Endpoint ?? throw new ProxyException(
                ProxyErrorReason.Unsupported, ProxyStage.Request, null, $"{hop.Scheme} cannot reach the Unix socket {next.Address.Path}");
            if (hop.Protocol == HopProtocol.Ssh)
            {
                current = await SshHop.ConnectAsync(connection, hop, endpoint, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                current = await StepAsync(connection, path, index, DestinationPolicy.AllowAll, cancellationToken).ConfigureAwait(false);
                current = await Client(hop).ConnectAsync(current, hop, endpoint, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is ProxyException { Subject: null } or OperationCanceledException)
        {
            if (current is not null) await current.DisposeAsync().ConfigureAwait(false);
            throw e is ProxyException told
                ? path.Refusal(index, told.Reason, told.Stage, told.Detail, next.Address, e)
                : path.Fault(index, ProxyErrorReason.TimedOut, ProxyStage.Request, "no answer in time", e);
        }
        // only the destination's TLS is asked for here: that of a hop is laid on when its turn comes
        return next.Address.Kind == TransportKind.Tls
            ? await LayAsync(current, path, index + 1, () => TlsTransport.ConnectAsync(current, next.Trust, next.ServerName ?? next.Address.Endpoint!.Host, next.ClientCertificate, cancellationToken), next.Address).ConfigureAwait(false)
            : current;
    }

    // the connection to a hop itself: dialled when it is the first, else the one that leads there, with TLS and WebSocket on top
    private async ValueTask<DuplexConnection> StepAsync(DuplexConnection? connection, ChainPath path, int index, DestinationPolicy policy, CancellationToken cancellationToken)
    {
        ProxyHop hop = path.Hops[index];
        if (hop.Address.IsMultiplexed) return await JoinAsync(path, index, cancellationToken).ConfigureAwait(false);
        DuplexConnection current;
        if (connection is null)
            current = await DialAsync(new FlightTarget(hop.Address, hop.Trust, hop.ServerName) { ClientCertificate = hop.ClientCertificate }, policy, HopNaming.Hop(index + 1, hop), index + 1, cancellationToken).ConfigureAwait(false);
        else if (hop.Address.Kind == TransportKind.Tls)
            current = await LayAsync(connection, path, index, () => TlsTransport.ConnectAsync(connection, hop.Trust, hop.ServerName ?? hop.Address.Endpoint!.Host, hop.ClientCertificate, cancellationToken)).ConfigureAwait(false);
        else
            current = connection;
        return hop.WebSocketPath is null
            ? current
            : await LayAsync(current, path, index, () => WebSocketTransport.ConnectAsync(current, hop.Address.Endpoint!, hop.WebSocketPath, cancellationToken)).ConfigureAwait(false);
    }

    // one layer more on a connection; what fails is the fault of hop `index`, or of the destination when there is no such hop
    private static async ValueTask<DuplexConnection> LayAsync(
        DuplexConnection connection, ChainPath path, int index, Func<ValueTask<DuplexConnection>> lay, TransportAddress? destination = null)
    {
        try
        {
            return await lay().ConfigureAwait(false);
        }
        catch (Exception e) when (e is ProxyException or OperationCanceledException)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            (ProxyErrorReason reason, ProxyStage stage, string detail) = e is ProxyException known
                ? (known.Reason, known.Stage, known.Detail)
                : (ProxyErrorReason.TimedOut, ProxyStage.Tls, "no answer in time");
            throw index < path.Hops.Count
                ? path.Fault(index, reason, stage, detail, e)
                : new ProxyException(reason, stage, HopNaming.Destination(destination!), detail, e);
        }
    }

    private static IHopClient Client(ProxyHop hop) => hop.Protocol switch
    {
        HopProtocol.Socks5 => SocksHopClient.Instance,
        HopProtocol.Http => HttpHopClient.Instance,
        _ => throw new InvalidOperationException($"{hop.Protocol} hops are not asked one by one."),
    };

    private static FlightTarget Next(ChainPath path, int end, FlightTarget target) =>
        end == path.Hops.Count ? target : new FlightTarget(Bare(path.Hops[end]), TlsTrust.System, null);

    // TLS to a hop that is not part of a flight is ours to lay on, so that the hop before sees nothing of it
    private static TransportAddress Bare(ProxyHop hop) => hop.Address.Endpoint is { } endpoint ? TransportAddress.Tcp(endpoint) : hop.Address.Unmultiplexed();

    private static async ValueTask<RelayResponse[]> ReadAnswersBesideAsync(
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

    private async ValueTask<DuplexConnection> DialAsync(FlightTarget target, DestinationPolicy policy, string subject, int? hop, CancellationToken cancellationToken)
    {
        try
        {
            return await dialer.DialAsync(target.Address!, policy, target.Trust, target.ServerName, target.ClientCertificate, cancellationToken).ConfigureAwait(false);
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

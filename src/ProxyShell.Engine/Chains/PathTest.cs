using ProxyShell.Engine.Chains.Pool;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>Measures the end of a path: its last hop with a probe and some echoes, or the destination behind it with a connection.</summary>
internal sealed class PathTest(PathConnector paths, TimeProvider time, int echoes)
{
    private static readonly TimeSpan EndTime = TimeSpan.FromMilliseconds(500);

    /// <summary>Measures; the target is that of a probe when the last hop is meant.</summary>
    public Task<HopTimes> RunAsync(ChainPath part, FlightTarget target, CancellationToken cancellationToken)
    {
        if (part.Hops.Count == 0) return TestDirectAsync(target, cancellationToken);
        return part.EndOfFlight(0) == part.Hops.Count && part.Hops[0].Protocol == HopProtocol.Relay
            ? TestFlightAsync(part, target, cancellationToken)
            : TestMixedAsync(part, target, cancellationToken);
    }

    private async Task<HopTimes> TestDirectAsync(FlightTarget target, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        DuplexConnection connection = await paths.DialDestinationAsync(target, DestinationPolicy.AllowAll, cancellationToken).ConfigureAwait(false);
        await connection.DisposeAsync().ConfigureAwait(false);
        return new HopTimes(time.GetElapsedTime(start));
    }

    private async Task<HopTimes> TestFlightAsync(ChainPath part, FlightTarget target, CancellationToken cancellationToken)
    {
        bool isProbe = target.Address is null;
        long start = time.GetTimestamp();
        DuplexConnection connection = await paths.ReachAsync(part, 0, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            TimeSpan firstDial = time.GetElapsedTime(start);
            start = time.GetTimestamp();
            var flight = new RelayFlight(connection, part, 0, part.Hops.Count, target, time);
            RelayResponse[] answers = await PathConnector.EstablishAsync(connection, flight, part, early: null, cancellationToken).ConfigureAwait(false);
            TimeSpan handshake = time.GetElapsedTime(start);
            TimeSpan dials = answers.Aggregate(TimeSpan.Zero, (sum, answer) => sum + answer.ConnectTime);
            // the hop that dialled this one told how long it took
            TimeSpan dial = !isProbe ? answers[^1].ConnectTime : part.Hops.Count == 1 ? firstDial : answers[^2].ConnectTime;
            TimeSpan? echo = isProbe ? await ProbeEcho.MeasureAsync(connection, echoes, time, cancellationToken).ConfigureAwait(false) : null;
            if (!isProbe) await EndAsync(flight.Payload, cancellationToken).ConfigureAwait(false);
            TimeSpan clean = handshake > dials ? handshake - dials : TimeSpan.Zero;
            return new HopTimes(dial, clean, echo, !isProbe ? SessionUse.None : part.Hops.Count == 1 ? UseOf(connection) : UseOf(answers[^2].Link));
        }
    }

    // other hops than ours do not tell their times and do not echo: the dial is all the way there, and the handshake this hop's own
    private async Task<HopTimes> TestMixedAsync(ChainPath part, FlightTarget target, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        ProxyHop last = part.Hops[^1];
        bool reachOnly = target.Address is null && last.Protocol != HopProtocol.Relay;
        DuplexConnection connection = reachOnly || target.Address is null
            ? await paths.ReachAsync(part, part.Hops.Count - 1, cancellationToken).ConfigureAwait(false)
            : await paths.ConnectAsync(part, target, null, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            TimeSpan dial = time.GetElapsedTime(start);
            if (reachOnly) return new HopTimes(dial);
            if (target.Address is not null)
            {
                await EndAsync(connection, cancellationToken).ConfigureAwait(false);
                return new HopTimes(dial);
            }
            start = time.GetTimestamp();
            var flight = new RelayFlight(connection, part, part.Hops.Count - 1, part.Hops.Count, target, time);
            await PathConnector.EstablishAsync(connection, flight, part, early: null, cancellationToken).ConfigureAwait(false);
            TimeSpan handshake = time.GetElapsedTime(start);
            return new HopTimes(dial, handshake, await ProbeEcho.MeasureAsync(connection, echoes, time, cancellationToken).ConfigureAwait(false), UseOf(connection));
        }
    }

    private static SessionUse UseOf(DuplexConnection connection) =>
        connection is not PooledChannel channel ? SessionUse.None : channel.IsReused ? SessionUse.Kept : SessionUse.New;

    private static SessionUse UseOf(RelayLink link) =>
        link switch { RelayLink.KeptSession => SessionUse.Kept, RelayLink.NewSession => SessionUse.New, _ => SessionUse.None };

    // in order, so that no hop takes the test for a broken connection; a destination that does not end too is left after a moment
    private async Task EndAsync(DuplexConnection connection, CancellationToken cancellationToken)
    {
        using var moment = new CancellationTokenSource(EndTime, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, moment.Token);
        var dropped = new byte[4096];
        try
        {
            await connection.CompleteWritesAsync(either.Token).ConfigureAwait(false);
            while (await connection.ReadAsync(dropped, either.Token).ConfigureAwait(false) > 0)
            {
            }
        }
        catch (Exception e) when (e is ProxyException or OperationCanceledException)
        {
            // the test is over: what the destination makes of its end is its own affair
        }
    }
}

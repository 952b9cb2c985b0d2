using System.Runtime.CompilerServices;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>Tests a chain hop by hop with probes, and the destination behind it with a connection.</summary>
public sealed class ChainTester
{
    private static readonly TimeSpan EndTime = TimeSpan.FromMilliseconds(500);

    private readonly TimeProvider _time;
    private readonly ChainConnector _connector;
    private readonly PathConnector _paths;

    /// <summary>Makes a tester.</summary>
    public ChainTester(TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        _connector = new ChainConnector(Dialer.Default, _time);
        _paths = new PathConnector(Dialer.Default, _time);
    }

    /// <summary>How long each hop may take to answer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How many echoes are sent to each hop, at least 1.</summary>
    public int Count { get; init; } = 3;

    /// <summary>Tests each hop in turn, then the destination if there is one; after the first failure the rest is not reached.</summary>
    public async IAsyncEnumerable<HopTestResult> TestAsync(
        ProxyChain chain, HostEndpoint? destination, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(chain);
        bool broken = false;
        int last = destination is null ? chain.Count : chain.Count + 1;
        for (int number = 1; number <= last; number++)
        {
            bool isHop = number <= chain.Count;
            string endpoint = isHop ? chain.Hops[number - 1].Endpoint : destination!.ToString();
            HopTestResult result = broken
                ? Outcome(number, isHop, endpoint, HopTestStatus.NotReached)
                : await TestOneAsync(chain, number, isHop ? null : destination, endpoint, cancellationToken).ConfigureAwait(false);
            broken |= result.Status != HopTestStatus.Ok;
            yield return result;
        }
    }

    private async Task<HopTestResult> TestOneAsync(
        ProxyChain chain, int number, HostEndpoint? destination, string endpoint, CancellationToken cancellationToken)
    {
        bool isHop = destination is null;
        using var deadline = new CancellationTokenSource(Timeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            var part = new ChainPath([.. chain.Hops.Take(number)], number > chain.Count ? chain.PayloadKey : null);
            FlightTarget target = destination is null ? FlightTarget.Probe : new FlightTarget(TransportAddress.Tcp(destination), TlsTrust.System, null);
            if (part.Hops.Count == 0) return await TestDirectAsync(target.Address!, endpoint, both.Token).ConfigureAwait(false);
            return part.EndOfFlight(0) == part.Hops.Count && part.Hops[0].Protocol == HopProtocol.Relay
                ? await TestFlightAsync(part, number, target, endpoint, both.Token).ConfigureAwait(false)
                : await TestMixedAsync(part, number, target, endpoint, both.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ProxyException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            string subject = isHop ? HopNaming.Hop(number, chain.Hops[number - 1]) : "destination " + endpoint;
            ProxyException error = e switch
            {
                ProxyException { Subject: not null } named => named,
                ProxyException other => new ProxyException(other.Reason, other.Stage, subject, other.Detail, e) { HopNumber = number },
                _ => new ProxyException(ProxyErrorReason.TimedOut, ProxyStage.Request, subject, "no echo in time", e) { HopNumber = number },
            };
            return Outcome(number, isHop, endpoint, HopTestStatus.Failed, error: error);
        }
    }

    private async Task<HopTestResult> TestDirectAsync(TransportAddress address, string endpoint, CancellationToken cancellationToken)
    {
        long start = _time.GetTimestamp();
        DuplexConnection connection = await _connector.ConnectAsync(ProxyChain.Direct, address, DestinationPolicy.AllowAll, cancellationToken).ConfigureAwait(false);
        await connection.DisposeAsync().ConfigureAwait(false);
        return Outcome(1, isHop: false, endpoint, HopTestStatus.Ok, _time.GetElapsedTime(start));
    }

    private async Task<HopTestResult> TestFlightAsync(ChainPath part, int number, FlightTarget target, string endpoint, CancellationToken cancellationToken)
    {
        bool isProbe = target.Address is null;
        long start = _time.GetTimestamp();
        DuplexConnection connection = await _paths.ReachAsync(part, 0, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            TimeSpan firstDial = _time.GetElapsedTime(start);
            start = _time.GetTimestamp();
            var flight = new RelayFlight(connection, part, 0, part.Hops.Count, target, _time);
            RelayResponse[] answers = await PathConnector.EstablishAsync(connection, flight, part, early: null, cancellationToken).ConfigureAwait(false);
            TimeSpan handshake = _time.GetElapsedTime(start);
            TimeSpan dials = answers.Aggregate(TimeSpan.Zero, (sum, answer) => sum + answer.ConnectTime);
            // the hop that dialled this one told how long it took
            TimeSpan dial = !isProbe ? answers[^1].ConnectTime : number == 1 ? firstDial : answers[^2].ConnectTime;
            TimeSpan? echo = isProbe ? await ProbeEcho.MeasureAsync(connection, Count, _time, cancellationToken).ConfigureAwait(false) : null;
            if (!isProbe) await EndAsync(flight.Payload, cancellationToken).ConfigureAwait(false);
            TimeSpan clean = handshake > dials ? handshake - dials : TimeSpan.Zero;
            return Outcome(number, isProbe, endpoint, HopTestStatus.Ok, dial, clean, echo);
        }
    }

    // other hops than ours do not tell their times and do not echo: the dial is all the way there, and the handshake this hop's own
    private async Task<HopTestResult> TestMixedAsync(ChainPath part, int number, FlightTarget target, string endpoint, CancellationToken cancellationToken)
    {
        long start = _time.GetTimestamp();
        ProxyHop last = part.Hops[^1];
        bool reachOnly = target.Address is null && last.Protocol != HopProtocol.Relay;
        DuplexConnection connection = reachOnly || target.Address is null
            ? await _paths.ReachAsync(part, part.Hops.Count - 1, cancellationToken).ConfigureAwait(false)
            : await _paths.ConnectAsync(part, target, null, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            TimeSpan dial = _time.GetElapsedTime(start);
            if (reachOnly) return Outcome(number, isHop: true, endpoint, HopTestStatus.Ok, dial);
            if (target.Address is not null)
            {
                await EndAsync(connection, cancellationToken).ConfigureAwait(false);
                return Outcome(number, isHop: false, endpoint, HopTestStatus.Ok, dial);
            }
            start = _time.GetTimestamp();
            var flight = new RelayFlight(connection, part, part.Hops.Count - 1, part.Hops.Count, target, _time);
            await PathConnector.EstablishAsync(connection, flight, part, early: null, cancellationToken).ConfigureAwait(false);
            TimeSpan handshake = _time.GetElapsedTime(start);
            return Outcome(number, isHop: true, endpoint, HopTestStatus.Ok, dial, handshake, await ProbeEcho.MeasureAsync(connection, Count, _time, cancellationToken).ConfigureAwait(false));
        }
    }

    // in order, so that no hop takes the test for a broken connection; a destination that does not end too is left after a moment
    private async Task EndAsync(DuplexConnection connection, CancellationToken cancellationToken)
    {
        using var moment = new CancellationTokenSource(EndTime, _time);
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

    private static HopTestResult Outcome(
        int number, bool isHop, string endpoint, HopTestStatus status, TimeSpan? dial = null, TimeSpan? handshake = null, TimeSpan? roundTrip = null,
        ProxyException? error = null) => new()
    {
        Hop = number,
        Kind = isHop ? "Hop" : "Destination",
        Endpoint = endpoint,
        Dial = dial,
        Handshake = handshake,
        RoundTrip = roundTrip,
        Status = status,
        Error = error,
    };
}

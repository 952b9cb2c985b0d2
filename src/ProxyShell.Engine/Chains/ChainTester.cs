using System.Runtime.CompilerServices;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>Tests a chain hop by hop with probes, all alternates of a place included, and the destination behind it with a connection.</summary>
public sealed class ChainTester
{
    private readonly TimeProvider _time;
    private readonly PathConnector _paths;

    /// <summary>Makes a tester.</summary>
    public ChainTester(TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        _paths = new PathConnector(Dialer.Default, _time);
    }

    /// <summary>How long each hop may take to answer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How many echoes are sent to each hop, at least 1.</summary>
    public int Count { get; init; } = 3;

    /// <summary>
    /// Tests each hop in turn (as many as <see cref="ProxyChain.Hops"/> has, in that order), then the destination if there is one. Behind a
    /// place with alternates the first of them that works is taken. After a place of which none works, the rest is not reached.
    /// </summary>
    public async IAsyncEnumerable<HopTestResult> TestAsync(
        ProxyChain chain, HostEndpoint? destination, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(chain);
        IReadOnlyList<ProxyHop> way = [];
        bool broken = false;
        for (int place = 1; place <= chain.Places.Count; place++)
        {
            HopGroup group = chain.Places[place - 1];
            HopAlternate? works = null;
            for (int i = 0; i < group.Alternates.Count; i++)
            {
                bool cut = broken;
                for (int hops = 1; hops <= group.Alternates[i].Hops.Count; hops++)
                {
                    var part = new ChainPath([.. way, .. group.Alternates[i].Hops.Take(hops)], null);
                    HopTestResult result = await TestAsync(part, null, place, group.Choice is null ? null : i + 1, cut, cancellationToken).ConfigureAwait(false);
                    cut |= result.Status != HopTestStatus.Ok;
                    yield return result;
                }
                if (!cut) works ??= group.Alternates[i];
            }
            broken = works is null;
            way = [.. way, .. (works ?? group.Alternates[0]).Hops];
        }
        if (destination is not null)
            yield return await TestAsync(new ChainPath(way, chain.PayloadKey), destination, chain.Places.Count + 1, null, broken, cancellationToken).ConfigureAwait(false);
    }

    private async Task<HopTestResult> TestAsync(
        ChainPath part, HostEndpoint? destination, int place, int? alternate, bool cut, CancellationToken cancellationToken)
    {
        HopTestResult blank = Blank(part, destination) with { Place = place, Alternate = alternate };
        if (cut) return blank;
        using var deadline = new CancellationTokenSource(Timeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            FlightTarget target = destination is null ? FlightTarget.Probe : new FlightTarget(TransportAddress.Tcp(destination), TlsTrust.System, null);
            HopTimes times = await new PathTest(_paths, _time, Count).RunAsync(part, target, both.Token).ConfigureAwait(false);
            return blank with { Status = HopTestStatus.Ok, Dial = times.Dial, Handshake = times.Handshake, RoundTrip = times.RoundTrip, Session = times.Session };
        }
        catch (Exception e) when (e is ProxyException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return blank with { Status = HopTestStatus.Failed, Error = Named(e, blank) };
        }
    }

    private static HopTestResult Blank(ChainPath part, HostEndpoint? destination) => new()
    {
        Hop = destination is null ? part.Hops.Count : part.Hops.Count + 1,
        Kind = destination is null ? "Hop" : "Destination",
        Endpoint = destination?.ToString() ?? part.Hops[^1].Endpoint,
        Hops = part.Hops,
        Status = HopTestStatus.NotReached,
    };

    private static ProxyException Named(Exception e, HopTestResult tested)
    {
        string subject = tested.Kind == "Hop" ? HopNaming.Hop(tested.Hop, tested.Hops[^1]) : "destination " + tested.Endpoint;
        return e switch
        {
            ProxyException { Subject: not null } named => named,
            ProxyException other => new ProxyException(other.Reason, other.Stage, subject, other.Detail, e) { HopNumber = tested.Hop },
            _ => new ProxyException(ProxyErrorReason.TimedOut, ProxyStage.Request, subject, "no echo in time", e) { HopNumber = tested.Hop },
        };
    }
}

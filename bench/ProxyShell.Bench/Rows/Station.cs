using ProxyShell.Bench.Load;
using ProxyShell.Bench.Origins;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Rows;

/// <summary>One relay in place: its own origin behind it, both in processes of their own; a second origin and a slow link where a row needs them.</summary>
internal sealed class Station : IDisposable
{
    private readonly DelayRelay? _link;
    private readonly int? _port;

    private Station(IRelayPeer peer, ServerProcess origin, ServerProcess? relay, DelayRelay? link)
    {
        Peer = peer;
        Origin = origin;
        Relay = relay;
        _link = link;
        _port = relay is null ? link?.Port : null;
    }

    internal IRelayPeer Peer { get; }

    internal ServerProcess Origin { get; }

    internal ServerProcess? Relay { get; }

    /// <summary>The link between the ends of the relay, when there is one.</summary>
    internal DelayRelay? Link => _link;

    /// <summary>Where the load connects.</summary>
    internal int Port => _port ?? Relay?.Port ?? Origin.Port;

    /// <summary>Where the load connects for the second origin; 0 when there is none.</summary>
    internal int SecondPort { get; private init; }

    /// <summary>What a client says at the port to be led to the origin.</summary>
    internal IReadOnlyList<Exchange> Handshake => Relay is null ? [] : ProxyHandshake.For(Peer.Service, Origin.Port);

    internal static async Task<Station> StartAsync(
        IRelayPeer peer, OriginSpecification specification, int maxConnections, BenchContext context, int? secondDestination = null, SlowLink? slow = null)
    {
        ServerProcess origin = await specification.StartAsync(context);
        int carrier = FreePorts.Take();
        SlowLink? between = (peer as StripedPeer)?.Link ?? slow;
        DelayRelay? link = between?.Open(peer is DirectPeer ? origin.Port : carrier);
        Forward? second = secondDestination is { } destination ? new Forward(FreePorts.Take(), destination) : null;
        try
        {
            var plan = new RelayPlan(FreePorts.Take(), origin.Port, maxConnections, context.Directory)
            {
                Processors = context.RelayProcessors?.Count ?? Environment.ProcessorCount,
                Second = second,
                CarrierPort = carrier,
                DialledPort = link?.Port ?? carrier,
            };
            ServerProcess? relay = peer.Prepare(plan) is { } command
                ? await ServerProcess.StartAsync(peer.Name, command with { Processors = context.RelayProcessors }, plan.Port, specification.Readiness, context.Cancelled)
                : null;
            return new Station(peer, origin, relay, link) { SecondPort = relay is null ? secondDestination ?? 0 : second?.Port ?? 0 };
        }
        catch
        {
            link?.Dispose();
            origin.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Relay?.Dispose();
        _link?.Dispose();
        Origin.Dispose();
    }
}

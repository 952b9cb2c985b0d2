using ProxyShell.Bench.Load;
using ProxyShell.Bench.Origins;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Rows;

/// <summary>One relay in place: its own origin behind it, both in processes of their own.</summary>
internal sealed class Station : IDisposable
{
    private Station(IRelayPeer peer, ServerProcess origin, ServerProcess? relay)
    {
        Peer = peer;
        Origin = origin;
        Relay = relay;
    }

    internal IRelayPeer Peer { get; }

    internal ServerProcess Origin { get; }

    internal ServerProcess? Relay { get; }

    /// <summary>Where the load connects.</summary>
    internal int Port => Relay?.Port ?? Origin.Port;

    /// <summary>What a client says at the port to be led to the origin.</summary>
    internal IReadOnlyList<Exchange> Handshake => Relay is null ? [] : ProxyHandshake.For(Peer.Service, Origin.Port);

    internal static async Task<Station> StartAsync(
        IRelayPeer peer, OriginSpecification specification, int maxConnections, BenchContext context)
    {
        ServerProcess origin = await specification.StartAsync(context.Cancelled);
        try
        {
            var plan = new RelayPlan(FreePorts.Take(), origin.Port, maxConnections, context.Directory)
            {
                Processors = context.RelayProcessors?.Count ?? Environment.ProcessorCount,
            };
            ServerProcess? relay = peer.Prepare(plan) is { } command
                ? await ServerProcess.StartAsync(peer.Name, command with { Processors = context.RelayProcessors }, plan.Port, specification.Readiness, context.Cancelled)
                : null;
            return new Station(peer, origin, relay);
        }
        catch
        {
            origin.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Relay?.Dispose();
        Origin.Dispose();
    }
}

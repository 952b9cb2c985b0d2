using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Chains;

/// <summary>The hops that one connection takes: a chain with all its choices made.</summary>
internal sealed record ChainPath(IReadOnlyList<ProxyHop> Hops, ProxyKey? PayloadKey)
{
    /// <summary>The first hop after <paramref name="index"/> that is not set up in the same flight.</summary>
    public int EndOfFlight(int index)
    {
        if (Hops[index].Protocol != HopProtocol.Relay) return index + 1;
        // the hop before connects to the next one over TCP, TLS or a Unix socket; everything else is ours to layer on top,
        // and so is TLS in which a certificate of ours is shown
        int end = index + 1;
        while (end < Hops.Count && Hops[end].Protocol == HopProtocol.Relay && Hops[end] is { WebSocketPath: null, ClientCertificate: null }) end++;
        return end;
    }

    /// <summary>
    /// Where a connection begins: at the first hop, or at the last one to which we keep sessions ourselves, since a session leads through the
    /// hops before it. To those within a flight the hop before keeps them.
    /// </summary>
    public int StartFor(int last)
    {
        int start = 0;
        for (int index = 0; index <= last; index = EndOfFlight(index))
        {
            if (Hops[index].Address.IsMultiplexed) start = index;
        }
        return start;
    }

    /// <summary>
    /// The error for what a channel to a hop failed with. When its session broke, that hop is at fault; what the hop itself tells of begins with
    /// the address of the next hop that it lost, or is about the destination.
    /// </summary>
    public ProxyException Explain(int index, ProxyException e, bool sessionBroke)
    {
        if (e.HopNumber is not null) return e;
        if (sessionBroke) return Fault(index, e.Reason, e.Stage, e.Detail, e);
        for (int lost = index + 1; lost < Hops.Count; lost++)
        {
            string name = Hops[lost].Endpoint + ": ";
            if (e.Detail.StartsWith(name, StringComparison.Ordinal)) return Fault(lost, e.Reason, e.Stage, e.Detail[name.Length..], e);
        }
        return e;
    }

    /// <summary>The error of a hop that refuses by itself, or that does not answer as it should.</summary>
    public ProxyException Fault(int index, ProxyErrorReason reason, ProxyStage stage, string detail, Exception? inner = null) =>
        new(reason, stage, HopNaming.Hop(index + 1, Hops[index]), detail, inner) { HopNumber = index + 1 };

    /// <summary>
    /// The error for what a hop answered. A hop that refuses is at fault itself; one that could not reach the next address speaks
    /// of that: of the next hop, or of the destination.
    /// </summary>
    public ProxyException Refusal(int index, ProxyErrorReason reason, ProxyStage stage, string detail, TransportAddress? destination, Exception? inner = null)
    {
        bool ownRefusal = stage is ProxyStage.None or ProxyStage.Request or ProxyStage.Policy;
        int fault = ownRefusal ? index : index + 1;
        if (fault < Hops.Count) return Fault(fault, reason, stage, detail, inner);
        return new ProxyException(reason, stage, HopNaming.Destination(destination!), $"{detail}, told by {HopNaming.Hop(index + 1, Hops[index])}", inner);
    }

    /// <summary>The hops' URIs without keys.</summary>
    public override string ToString() => HopNaming.Hops(Hops);
}

using System.Collections.Concurrent;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>A port whose clients all go to one place: a flow for each client.</summary>
internal abstract class ClientFlowPort : DatagramPort
{
    private readonly ConcurrentDictionary<DatagramPeer, ForwardedFlow> _flows = new();
    private ForwardedFlow? _last;

    /// <summary>The place, as records name it.</summary>
    protected abstract string Destination { get; }

    public override void OnReceived(DatagramSocket socket, in DatagramPeer from, ReadOnlySpan<byte> datagram)
    {
        // most datagrams come from the client of the one before
        if (_last is not { HasEnded: false } flow || flow.Client != from) flow = Find(from);
        flow?.Send(datagram);
    }

    /// <summary>The flow is over.</summary>
    public void Forget(ForwardedFlow flow) => _flows.TryRemove(new KeyValuePair<DatagramPeer, ForwardedFlow>(flow.Client, flow));

    /// <summary>What new flows go by.</summary>
    protected abstract InboundContext TakeContext();

    /// <summary>Opens the way of a flow, within the time of the clock.</summary>
    protected abstract ValueTask<DatagramPath> OpenPathAsync(ForwardedFlow flow, InboundContext context, SetUpClock clock);

    /// <summary>Ends all flows.</summary>
    protected void AbortFlows()
    {
        foreach (ForwardedFlow flow in _flows.Values) flow.Abort();
    }

    private ForwardedFlow? Find(in DatagramPeer from)
    {
        if (!_flows.TryGetValue(from, out ForwardedFlow? flow) || flow.HasEnded) flow = Open(from);
        return _last = flow;
    }

    private ForwardedFlow? Open(in DatagramPeer from)
    {
        InboundContext context = TakeContext();
        var flow = new ForwardedFlow(this, Registry, Socket, from);
        _flows[from] = flow;
        if (!TryEnter(flow, Destination, context.Options.UdpIdleTimeout, out _))
        {
            Forget(flow);
            return null;
        }
        // ends with the flow at the latest, and the flow is in the registry
        _ = context.OpenAsync(flow, clock => OpenPathAsync(flow, context, clock));
        return flow;
    }
}

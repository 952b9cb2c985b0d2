using System.Collections.Concurrent;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>Forwards all datagrams to one destination: a flow for each client.</summary>
internal sealed class ForwardingPort(HostEndpoint destination) : DatagramPort
{
    private readonly ConcurrentDictionary<DatagramPeer, ForwardedFlow> _flows = new();
    private readonly string _destination = destination.ToString();
    private volatile InboundContext? _context;
    private ForwardedFlow? _last;

    /// <summary>Says what new flows go by; to be said before the first.</summary>
    public void Use(InboundContext context) => _context = context;

    public override void OnReceived(DatagramSocket socket, in DatagramPeer from, ReadOnlySpan<byte> datagram)
    {
        // most datagrams come from the client of the one before
        if (_last is not { HasEnded: false } flow || flow.Client != from) flow = Find(from);
        flow?.Send(datagram);
    }

    /// <summary>The flow is over.</summary>
    public void Forget(ForwardedFlow flow) => _flows.TryRemove(new KeyValuePair<DatagramPeer, ForwardedFlow>(flow.Client, flow));

    private ForwardedFlow? Find(in DatagramPeer from)
    {
        if (!_flows.TryGetValue(from, out ForwardedFlow? flow) || flow.HasEnded) flow = Open(from);
        return _last = flow;
    }

    private ForwardedFlow? Open(in DatagramPeer from)
    {
        InboundContext context = _context!;
        var flow = new ForwardedFlow(this, Registry, Socket, from);
        _flows[from] = flow;
        if (!TryEnter(flow, _destination, context.Options.UdpIdleTimeout, out _))
        {
            Forget(flow);
            return null;
        }
        // ends with the flow at the latest, and the flow is in the registry
        _ = context.OpenAsync(flow, destination, Socket);
        return flow;
    }
}

using System.Collections.Concurrent;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels;

/// <summary>A public UDP port of a tunnel: a flow, and a channel to an agent, for each client.</summary>
internal sealed class TunnelDatagramPort(Func<InboundContext> context, TunnelDirectory directory, string name) : DatagramPort, IAsyncDisposable
{
    private const string Scheme = "udp";

    private readonly ConcurrentDictionary<DatagramPeer, TunnelFlow> _flows = new();
    private TunnelFlow? _last;

    public override void OnReceived(DatagramSocket socket, in DatagramPeer from, ReadOnlySpan<byte> datagram)
    {
        // most datagrams come from the client of the one before
        if (_last is not { HasEnded: false } flow || flow.Client != from) flow = Find(from);
        flow?.Send(datagram);
    }

    /// <summary>The flow is over.</summary>
    public void Forget(TunnelFlow flow) => _flows.TryRemove(new KeyValuePair<DatagramPeer, TunnelFlow>(flow.Client, flow));

    /// <summary>Closes the port; flows cannot be answered any more, so they end too.</summary>
    public ValueTask DisposeAsync()
    {
        Socket.Dispose();
        foreach (TunnelFlow flow in _flows.Values) flow.Abort();
        return ValueTask.CompletedTask;
    }

    private TunnelFlow? Find(in DatagramPeer from)
    {
        if (!_flows.TryGetValue(from, out TunnelFlow? flow) || flow.HasEnded) flow = Open(from);
        return _last = flow;
    }

    private TunnelFlow? Open(in DatagramPeer from)
    {
        InboundContext current = context();
        var flow = new TunnelFlow(this, Registry, Socket, from);
        _flows[from] = flow;
        if (!TryEnter(flow, name, current.Options.UdpIdleTimeout, out _))
        {
            Forget(flow);
            return null;
        }
        // ends with the flow at the latest, and the flow is in the registry
        _ = current.OpenAsync(flow, clock => OpenPathAsync(flow, new TunnelRelay(current, directory), clock));
        return flow;
    }

    private async ValueTask<DatagramPath> OpenPathAsync(TunnelFlow flow, TunnelRelay relay, SetUpClock clock)
    {
        var visitor = new TunnelVisitor { Client = flow.Client.ToEndPoint(), Gateway = Socket.LocalEndPoint, Scheme = Scheme };
        (TunnelRegistration registration, DuplexConnection channel) = await relay.OpenAsync(name, TunnelKind.Udp, visitor, clock.Token).ConfigureAwait(false);
        return new ChannelDatagramPath(channel, registration, flow);
    }
}

using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Inbound;

/// <summary>Forwards all datagrams to one destination.</summary>
internal sealed class ForwardingPort(HostEndpoint destination) : ClientFlowPort
{
    private volatile InboundContext? _context;

    protected override string Destination { get; } = destination.ToString();

    /// <summary>Says what new flows go by; to be said before the first.</summary>
    public void Use(InboundContext context) => _context = context;

    protected override InboundContext TakeContext() => _context!;

    protected override ValueTask<DatagramPath> OpenPathAsync(ForwardedFlow flow, InboundContext context, SetUpClock clock) =>
        context.Outbound.OpenDatagramsAsync(flow.Record, destination, flow, Socket, clock.Allowed, clock.Token);
}

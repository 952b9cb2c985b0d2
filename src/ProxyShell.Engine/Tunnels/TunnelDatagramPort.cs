using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels;

/// <summary>A public UDP port of a tunnel: a channel to an agent for each client.</summary>
internal sealed class TunnelDatagramPort(Func<InboundContext> context, TunnelDirectory directory, string name) : ClientFlowPort, IAsyncDisposable
{
    private const string Scheme = "udp";

    protected override string Destination => name;

    /// <summary>Closes the port; flows cannot be answered any more, so they end too.</summary>
    public ValueTask DisposeAsync()
    {
        Socket.Dispose();
        AbortFlows();
        return ValueTask.CompletedTask;
    }

    protected override InboundContext TakeContext() => context();

    protected override async ValueTask<DatagramPath> OpenPathAsync(ForwardedFlow flow, InboundContext current, SetUpClock clock)
    {
        var visitor = new TunnelVisitor { Client = flow.Client.ToEndPoint(), Gateway = Socket.LocalEndPoint, Scheme = Scheme };
        (TunnelRegistration registration, DuplexConnection channel) = await new TunnelRelay(current, directory).OpenAsync(name, TunnelKind.Udp, visitor, clock.Token).ConfigureAwait(false);
        return new ChannelDatagramPath(channel, registration, flow);
    }
}

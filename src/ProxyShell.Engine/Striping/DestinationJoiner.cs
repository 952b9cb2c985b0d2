using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Striping;

/// <summary>Joins streams to the destination of a far end.</summary>
internal sealed class DestinationJoiner(InboundContext context, StripedPipeExitOptions options)
{
    private readonly FlightTarget _target = new(TransportAddress.Tcp(options.Destination), TlsTrust.System, null);

    /// <summary>Connects to the destination and carries the stream to its end; failures are thrown.</summary>
    public async Task JoinAsync(ServedConnection served, DuplexConnection stream)
    {
        DuplexConnection destination = await context.ConnectAsync(served, options.Carried, _target).ConfigureAwait(false);
        await context.RelayAsync(served, stream, destination).ConfigureAwait(false);
    }
}

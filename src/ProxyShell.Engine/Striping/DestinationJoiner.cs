using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Striping;

/// <summary>Joins streams to the destination of a far end.</summary>
internal sealed partial class DestinationJoiner(InboundContext context, StripedPipeExitOptions options, OversizeLog oversize)
{
    private readonly FlightTarget _target = new(TransportAddress.Tcp(options.Destination), TlsTrust.System, null);

    /// <summary>Connects to the destination and carries the stream's bytes to its end; failures are thrown.</summary>
    public async Task JoinBytesAsync(ServedConnection served, DuplexConnection stream)
    {
        DuplexConnection destination = await context.ConnectAsync(served, "tcp", _target).ConfigureAwait(false);
        await context.RelayAsync(served, stream, destination).ConfigureAwait(false);
    }
}

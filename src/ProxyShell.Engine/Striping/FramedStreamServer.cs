using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Striping;

/// <summary>Serves the connections of near ends that speak messages: each is one stream.</summary>
internal sealed class FramedStreamServer(InboundContext context, StripedPipeExitOptions options) : IClientServer
{
    private readonly DestinationJoiner _joiner = new(context, options);

    public Task ServeAsync(ServedConnection served) => _joiner.JoinAsync(served, new MessageConnection(served.Client));

    public ValueTask TurnAwayAsync(DuplexConnection connection)
    {
        connection.Abort();
        return connection.DisposeAsync();
    }
}

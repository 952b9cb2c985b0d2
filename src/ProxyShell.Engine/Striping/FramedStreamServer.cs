using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Striping;

/// <summary>Serves the connections of near ends that speak messages: each is one stream.</summary>
internal sealed class FramedStreamServer(DestinationJoiner joiner, StripedPipeExitOptions options) : IClientServer
{
    public Task ServeAsync(ServedConnection served) =>
        options.Udp ? joiner.JoinDatagramsAsync(served, served.Client) : joiner.JoinBytesAsync(served, new MessageConnection(served.Client));

    public ValueTask TurnAwayAsync(DuplexConnection connection)
    {
        connection.Abort();
        return connection.DisposeAsync();
    }
}

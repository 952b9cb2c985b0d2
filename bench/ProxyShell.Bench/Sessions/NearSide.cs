using System.Globalization;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Bench.Sessions;

/// <summary>Forwards ports: each connection to one of them becomes a channel, whose name is the destination's port at the far side.</summary>
internal sealed class NearSide(int carrier, IReadOnlyList<(int Port, int Destination)> forwards)
{
    internal async Task RunAsync()
    {
        MultiplexedSession session = await SessionCarrier.ConnectAsync(carrier);
        foreach ((int port, int destination) in forwards)
        {
            string name = destination.ToString(CultureInfo.InvariantCulture);
            SessionCarrier.Listen(port, client => ForwardAsync(client, session, name));
        }

        await session.Completion;
    }

    private static async Task ForwardAsync(DuplexConnection client, MultiplexedSession session, string destination)
    {
        try
        {
            // the peer need not have accepted yet: what the client says at once travels right behind the acceptance
            await Relay.RunAsync(client, session.Offer(destination), new Traffic());
        }
        catch (ProxyException)
        {
            client.Abort(); // the session is over or full
        }
    }
}

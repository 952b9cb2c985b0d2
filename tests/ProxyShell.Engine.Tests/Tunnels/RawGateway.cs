using System.Net;
using System.Threading.Channels;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Tunnels;

/// <summary>A gateway that does with each session what a test wants.</summary>
internal sealed class RawGateway : IAsyncDisposable
{
    private readonly ConnectionListener _listener = Sockets.Of(Sockets.Portable).Listen(new IPEndPoint(IPAddress.Loopback, 0));
    private readonly Channel<Task> _sessions = Channel.CreateUnbounded<Task>();

    public RawGateway(Func<MultiplexedSession, Task> serve) => _listener.Start(connection => _sessions.Writer.TryWrite(ServeAsync(connection, serve)), _ => { });

    public int Port => ((IPEndPoint)_listener.LocalEndPoint).Port;

    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync();
        while (_sessions.Reader.TryRead(out Task? session)) await session.Within();
    }

    private static async Task ServeAsync(DuplexConnection connection, Func<MultiplexedSession, Task> serve)
    {
        await using MultiplexedSession session = await MultiplexedSession.StartAsync(connection, new SessionOptions { SeededChannels = 1 }, CancellationToken.None);
        try
        {
            await serve(session);
        }
        catch (Engine.Diagnostics.ProxyException)
        {
            // the agent has had enough
        }
    }
}

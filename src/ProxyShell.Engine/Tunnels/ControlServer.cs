using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels;

/// <summary>Serves agents.</summary>
internal sealed class ControlServer : IClientServer
{
    public Task ServeAsync(ServedConnection served) => Task.CompletedTask;

    public ValueTask TurnAwayAsync(DuplexConnection connection) => connection.DisposeAsync();
}

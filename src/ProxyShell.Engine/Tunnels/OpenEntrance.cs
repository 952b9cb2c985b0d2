using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Tunnels;

/// <summary>An entrance of a running service, which closes when it is disposed of.</summary>
internal sealed class OpenEntrance(ListenerService service, ServiceEntrance entrance) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => service.CloseAsync(entrance);
}

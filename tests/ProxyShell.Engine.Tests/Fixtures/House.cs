using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>Starts services for a test and stops them all at its end; a connection that outlives them is a failure.</summary>
internal sealed class House(string sockets) : IAsyncDisposable
{
    private readonly List<ListenerService> _services = [];

    public Task<ProxyServer> ProxyAsync(Func<ProxyServerOptions, ProxyServerOptions>? change = null) =>
        StartAsync(new ProxyServer((change ?? (o => o))(new ProxyServerOptions { Sockets = Sockets.Of(sockets) })));

    public Task<AccessListener> ListenAsync(
        HostEndpoint destination, ProxyChain? chain = null, Func<AccessListenerOptions, AccessListenerOptions>? change = null) =>
        StartAsync(new AccessListener((change ?? (o => o))(
            new AccessListenerOptions { Destination = destination, Chain = chain ?? ProxyChain.Direct, Sockets = Sockets.Of(sockets) })));

    /// <summary>A proxy server that can be stopped and started again on its port.</summary>
    public Task<ProxyServer> ReturningProxyAsync(int port = 0) => ProxyAsync(o => o with { LocalPort = port > 0 ? port : Ports.Take() });

    /// <summary>A chain of so many fresh proxy servers.</summary>
    public async Task<(ProxyChain Chain, ProxyServer[] Servers)> ChainAsync(int hops, Func<ProxyServerOptions, ProxyServerOptions>? change = null)
    {
        var servers = new ProxyServer[hops];
        for (int i = 0; i < hops; i++) servers[i] = await ProxyAsync(change);
        return (new ProxyChain(servers.Select(s => s.ToHop())), servers);
    }

    public async Task<T> StartAsync<T>(T service)
        where T : ListenerService
    {
        await service.StartAsync().Within();
        _services.Add(service);
        return service;
    }

    /// <summary>Waits for an event of this kind and returns the newest.</summary>
    public static async Task<ProxyEvent> EventAsync(ListenerService service, ProxyEventKind kind)
    {
        ProxyEvent? found = null;
        await Deadline.Until(
            () => (found = service.Events.ToList().LastOrDefault(e => e.Kind == kind)) is not null, $"a {kind} event of {service.Name}");
        return found!;
    }

    public static Task QuietAsync(ListenerService service) =>
        Deadline.Until(() => service.Counters.Active == 0, $"{service.Name} has no connections; it has {service.Counters.Active}");

    public async ValueTask DisposeAsync()
    {
        foreach (ListenerService service in _services) await service.StopAsync(TimeSpan.Zero).Within();
        foreach (ListenerService service in _services) Assert.Equal(0, service.Counters.Active);
    }
}

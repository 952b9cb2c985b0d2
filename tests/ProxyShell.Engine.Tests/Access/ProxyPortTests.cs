using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Access;

/// <summary>An access listener without a destination: its clients say in SOCKS where they want to go, and go there through its chain.</summary>
public sealed class ProxyPortTests : IAsyncLifetime
{
    private readonly Origin _origin = Origin.Echo();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _origin.DisposeAsync();

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Clients_go_through_the_chain_to_where_they_want(string sockets)
    {
        await using Origin other = Origin.Echo();
        await using var house = new House(sockets);
        (ProxyChain chain, ProxyServer[] servers) = await house.ChainAsync(2);
        AccessListener listener = await StartAsync(house, sockets, o => o with { Chain = chain });
        foreach (Origin origin in new[] { _origin, other })
        {
            using SocksTalk talk = await SocksTalk.ConnectAsync(listener.LocalPort, new HostEndpoint("localhost", origin.Port));
            await talk.AssertEchoesAsync();
            ProxyConnection live = Assert.Single(listener.GetConnections());
            Assert.Equal(("socks5", $"localhost:{origin.Port}", chain.ToString()), (live.Protocol, live.Destination, live.Chain));
            Assert.Equal(1, origin.Accepted);
            talk.Dispose();
            await House.QuietAsync(listener);
        }
        Assert.Equal(2, servers[1].Counters.Accepted);
    }

    [Fact]
    public async Task Through_a_chain_the_bound_address_is_not_told()
    {
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, _) = await house.ChainAsync(1);
        AccessListener listener = await StartAsync(house, Sockets.Portable, o => o with { Chain = chain });
        using SocksTalk talk = await SocksTalk.GreetedAsync(listener.LocalPort);
        (byte code, System.Net.IPEndPoint bound) = await talk.RequestAsync(1, _origin.Endpoint);
        Assert.Equal((0, new System.Net.IPEndPoint(System.Net.IPAddress.Any, 0)), (code, bound));
    }

    [Fact]
    public async Task Its_users_are_asked_for_their_password()
    {
        await using var house = new House(Sockets.Portable);
        AccessListener listener = await StartAsync(house, Sockets.Portable, o => o with { Credentials = [new ProxyCredential("ann", "secret")] });
        using SocksTalk talk = await SocksTalk.OpenAsync(listener.LocalPort);
        Assert.Equal([5, 2], await talk.GreetAsync(0, 2));
        Assert.Equal([1, 0], await talk.ShowAsync("ann", "secret"));
        Assert.Equal(0, (await talk.RequestAsync(1, _origin.Endpoint)).Code);
        await talk.AssertEchoesAsync();
    }

    [Fact]
    public async Task It_serves_no_relay_headers()
    {
        await using var house = new House(Sockets.Portable);
        AccessListener listener = await StartAsync(house, Sockets.Portable, o => o);
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync(new byte[] { 0xF1, 1, 1 });
        Assert.True(await client.IsClosedAsync());
        ProxyEvent refused = await House.EventAsync(listener, ProxyEventKind.Refused);
        Assert.StartsWith("client: begins with byte 0xF1", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broken_chain_has_the_code_of_its_fault()
    {
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, ProxyServer[] servers) = await house.ChainAsync(2);
        await servers[1].StopAsync(TimeSpan.Zero);
        AccessListener listener = await StartAsync(house, Sockets.Portable, o => o with { Chain = chain, Protocols = ProxyProtocols.Socks5 });
        using SocksTalk talk = await SocksTalk.GreetedAsync(listener.LocalPort);
        Assert.Equal(5, (await talk.RequestAsync(1, _origin.Endpoint)).Code);
        talk.Dispose();
        Assert.Equal($"hop 2 (127.0.0.1:{servers[1].LocalPort}): connection refused", (await House.EventAsync(listener, ProxyEventKind.Failed)).Message);
    }

    private static Task<AccessListener> StartAsync(House house, string sockets, Func<AccessListenerOptions, AccessListenerOptions> change) =>
        house.StartAsync(new AccessListener(change(new AccessListenerOptions { Sockets = Sockets.Of(sockets) })));
}

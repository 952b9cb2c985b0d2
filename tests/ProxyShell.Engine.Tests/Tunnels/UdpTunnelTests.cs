using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Tests.Tunnels;

/// <summary>A UDP service behind an agent, on a port of the gateway.</summary>
public class UdpTunnelTests
{
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Datagrams_of_every_size_pass_both_ways(string sockets)
    {
        await using DatagramOrigin origin = DatagramOrigin.Echo();
        await using Gatehouse house = await Gatehouse.StartAsync(sockets);
        TunnelAgent agent = await house.RegisterAsync($"udp://{origin.Endpoint}");
        Assert.Equal($"udp://localhost:{agent.RemoteEndpoint!.Port}", agent.Url);
        using var first = new DatagramClient(agent.RemoteEndpoint.Port);
        using var second = new DatagramClient(agent.RemoteEndpoint.Port);
        foreach (int length in new[] { 1, 0, 100, 1472, 20_480, 65_507 })
        {
            await first.AssertEchoAsync(RandomBytes.Of(length, length));
            await second.AssertEchoAsync(RandomBytes.Of(length, length + 1));
        }
        Assert.Equal(2, house.Gateway.GetTunnels()[0].Connections);
        Assert.Equal(2, agent.GetConnections().Count);
        Assert.All(house.Gateway.GetConnections().Where(c => c.Protocol == "udp"), c => Assert.Equal($"udp:{agent.RemoteEndpoint.Port}", c.Destination));
    }

    [Fact]
    public async Task A_silent_flow_is_ended_on_both_sides()
    {
        await using DatagramOrigin origin = DatagramOrigin.Echo();
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, o => o with { UdpIdleTimeout = TimeSpan.FromSeconds(0.3) });
        TunnelAgent agent = await house.RegisterAsync($"udp://{origin.Endpoint}");
        using var client = new DatagramClient(agent.RemoteEndpoint!.Port);
        await client.AssertEchoAsync("once");
        await Deadline.Until(() => agent.Counters.Active == 0 && house.Gateway.Counters.Active == 1 && house.Gateway.GetTunnels()[0].Connections == 0, "only the agent's session is left");
        await client.AssertEchoAsync("again");
    }

    [Fact]
    public async Task A_service_that_is_down_ends_the_flow_with_its_reason()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        TunnelAgent agent = await house.RegisterAsync($"udp://127.0.0.1:{Ports.Take()}");
        using var client = new DatagramClient(agent.RemoteEndpoint!.Port);
        client.Send("anybody?");
        ProxyEvent failed = await House.EventAsync(house.Gateway, ProxyEventKind.Failed);
        Assert.Equal(ProxyErrorReason.ConnectionRefused, failed.Reason);
        await Deadline.Until(() => agent.Counters.Failed == 1, "the agent has a record of it");
    }

    [Fact]
    public async Task Flows_end_with_their_agent_and_the_port_is_given_back()
    {
        await using DatagramOrigin origin = DatagramOrigin.Echo();
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        TunnelAgent agent = await house.RegisterAsync($"udp://{origin.Endpoint}");
        int port = agent.RemoteEndpoint!.Port;
        using var client = new DatagramClient(port);
        await client.AssertEchoAsync("hello");
        await agent.StopAsync(TimeSpan.Zero).Within();
        await Deadline.Until(() => house.Gateway.Counters.Active == 0, "nothing is left");
        TunnelAgent next = await house.RegisterAsync($"udp://{origin.Endpoint}", o => o with { RemotePort = port });
        await client.AssertEchoAsync("hello again");
        Assert.Equal(port, next.RemoteEndpoint!.Port);
    }
}

using System.Net;
using System.Text;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Tests.Tunnels;

/// <summary>A TCP service behind an agent, on a port of the gateway.</summary>
public class TcpTunnelTests
{
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Bytes_pass_both_ways_and_each_way_ends_by_itself(string sockets)
    {
        byte[] question = RandomBytes.Of(3_000_000, 1), answer = RandomBytes.Of(3_000_000, 2);
        byte[] heard = [];
        await using Origin origin = Origin.Of(async socket =>
        {
            using var all = new MemoryStream();
            var buffer = new byte[65536];
            for (int count; (count = await socket.ReceiveAsync(buffer)) > 0;) all.Write(buffer, 0, count);
            heard = all.ToArray();
            await Origin.SendAllAsync(socket, answer);
        });
        await using Gatehouse house = await Gatehouse.StartAsync(sockets);
        TunnelAgent agent = await house.RegisterAsync($"tcp://{origin.Endpoint}");
        Assert.Equal($"tcp://localhost:{agent.RemoteEndpoint!.Port}", agent.Url);

        using Client client = await Client.ConnectAsync(agent.RemoteEndpoint.Port);
        await client.SendAsync(question);
        client.EndSending();
        Assert.Equal(answer, await client.ReadToEndAsync());
        Assert.Equal(question, heard);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Both_sides_show_the_connection(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using Gatehouse house = await Gatehouse.StartAsync(sockets);
        TunnelAgent agent = await house.RegisterAsync($"tcp://{origin.Endpoint}");
        using Client client = await Client.ConnectAsync(agent.RemoteEndpoint!.Port);
        await client.SendAsync("hello");
        Assert.Equal("hello", Encoding.ASCII.GetString(await client.ReadAsync(5)));

        string name = $"tcp:{agent.RemoteEndpoint.Port}", visitor = client.Socket.LocalEndPoint!.ToString()!;
        ProxyConnection atGateway = Assert.Single(house.Gateway.GetConnections(), c => c.Protocol == "tcp");
        Assert.Equal((name, visitor), (atGateway.Destination, atGateway.Client));
        ProxyConnection atAgent = Assert.Single(agent.GetConnections());
        Assert.Equal((origin.Endpoint.ToString(), visitor), (atAgent.Destination, atAgent.Client));
        TunnelInfo info = Assert.Single(house.Gateway.GetTunnels());
        Assert.Equal((name, TunnelKind.Tcp, agent.Url, $"tcp://{origin.Endpoint}", house.Identity.Thumbprint, 1, 1L), (info.Name, info.Kind, info.Url, info.Destination, info.Thumbprint, info.Connections, info.TotalConnections));
        Assert.True(info is { BytesSent: >= 5, BytesReceived: >= 5, IsDraining: false });
        client.EndSending();
        Assert.Empty(await client.ReadToEndAsync());
        await Deadline.Until(() => house.Gateway.GetTunnels()[0].Connections == 0, "the connection is done");
    }

    [Fact]
    public async Task A_service_that_is_down_is_said_at_the_gateway_and_the_visitor_is_cut_off()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        TunnelAgent agent = await house.RegisterAsync($"tcp://127.0.0.1:{Ports.Take()}");
        await Client.AssertTurnedAwayAsync(agent.RemoteEndpoint!.Port);
        ProxyEvent failed = await House.EventAsync(house.Gateway, ProxyEventKind.Failed);
        Assert.Equal(ProxyErrorReason.ConnectionRefused, failed.Reason);
        Assert.Equal($"service of tcp:{agent.RemoteEndpoint.Port}: connection refused", failed.Message);
        await Deadline.Until(() => agent.Counters.Failed == 1, "the agent has a record of it");
        Assert.Equal(TunnelAgentState.Connected, agent.State);
    }

    [Fact]
    public async Task A_service_that_does_not_answer_is_given_up()
    {
        using var deaf = new DeafListener();
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        TunnelAgent agent = await house.RegisterAsync($"tcp://{deaf.EndPoint}", o => o with { ConnectTimeout = TimeSpan.FromSeconds(0.3) });
        await Client.AssertTurnedAwayAsync(agent.RemoteEndpoint!.Port);
        Assert.Equal(ProxyErrorReason.TimedOut, (await House.EventAsync(house.Gateway, ProxyEventKind.Failed)).Reason);
    }

    [Fact]
    public async Task The_service_is_told_who_the_visitor_is()
    {
        await using Origin origin = Origin.Echo();
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        TunnelAgent agent = await house.RegisterAsync($"tcp://{origin.Endpoint}", o => o with { SendProxyProtocol = Engine.Protocols.ProxyHeaderVersion.V1 });
        using Client client = await Client.ConnectAsync(agent.RemoteEndpoint!.Port);
        client.EndSending();
        var visitor = (IPEndPoint)client.Socket.LocalEndPoint!;
        Assert.Equal($"PROXY TCP4 127.0.0.1 127.0.0.1 {visitor.Port} {agent.RemoteEndpoint.Port}\r\n", Encoding.ASCII.GetString(await client.ReadToEndAsync()));
    }
}

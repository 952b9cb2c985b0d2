using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Tests.Tunnels;

/// <summary>Which name and which port goes to whom.</summary>
public class NameTests
{
    private const string Web = "http://127.0.0.1:9";

    private static TunnelGatewayOptions WithHttp(TunnelGatewayOptions options) => options with { HttpPort = 0 };

    [Fact]
    public async Task A_name_is_that_of_its_key_and_session()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, o => WithHttp(o) with { Domain = "example.org" });
        TunnelAgent first = await house.RegisterAsync(Web), second = await house.RegisterAsync(Web, o => o with { SessionName = "two" });
        Assert.Equal(house.Identity.Thumbprint + ".example.org", first.HostName);
        Assert.Equal($"http://{first.HostName}:{house.Gateway.HttpPort}", first.Url);
        Assert.Equal($"{first.HostName}:{house.Gateway.HttpPort}", first.RemoteEndpoint!.ToString());
        Assert.Equal(house.Identity.LabelOf("two") + ".example.org", second.HostName);
        Assert.NotEqual(first.HostName, second.HostName);
    }

    [Fact]
    public async Task The_same_key_gets_the_same_name_after_a_restart_of_either_side()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, WithHttp);
        TunnelAgent agent = await house.RegisterAsync(Web);
        string name = agent.HostName;
        await agent.StopAsync().Within();
        TunnelAgent next = await house.RegisterAsync(Web);
        Assert.Equal(name, next.HostName);
        await house.RestartAsync();
        await Gatehouse.ConnectedAsync(next, 2);
        Assert.Equal(name, next.HostName);
    }

    [Fact]
    public async Task A_reserved_name_belongs_to_the_key_that_asked_first()
    {
        using var folder = new ScratchFolder();
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, o => WithHttp(o) with { StateFile = folder.File("state.json") });
        TunnelAgent agent = await house.RegisterAsync(Web, o => o with { HostName = "blog" });
        Assert.Equal("blog.localhost", agent.HostName);
        TunnelIdentity other = house.NewIdentity();
        await RefusedAsync(house.Agent(Web, o => o with { HostName = "blog", Identity = other }), ProxyErrorReason.Forbidden, "the name 'blog' belongs to another key");
        await RefusedAsync(house.Agent(Web, o => o with { HostName = "BLOG.localhost", Identity = other }), ProxyErrorReason.Forbidden, "the name 'blog' belongs to another key");

        // also when its owner is gone, and when the gateway was
        await agent.StopAsync().Within();
        await house.RestartAsync();
        Assert.Equal(TunnelLookupStatus.Gone, house.Gateway.Directory.Find("blog.localhost", TunnelKind.Http).Status);
        await RefusedAsync(house.Agent(Web, o => o with { HostName = "blog", Identity = other }), ProxyErrorReason.Forbidden, "the name 'blog' belongs to another key");
        TunnelAgent again = await house.RegisterAsync(Web, o => o with { HostName = "blog.LOCALHOST", SessionName = "x" });
        Assert.Equal("blog.localhost", again.HostName);
    }

    [Fact]
    public async Task Nobody_gets_the_name_of_another_key_by_asking_for_it()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, WithHttp);
        using var victim = TunnelIdentity.Create();
        await RefusedAsync(house.Agent(Web, o => o with { HostName = victim.Thumbprint }), ProxyErrorReason.Forbidden, $"the name '{victim.Thumbprint}' belongs to another key");
        Assert.Equal(victim.Thumbprint + ".localhost", (await house.RegisterAsync(Web, o => o with { Identity = victim, HostName = victim.Thumbprint })).HostName);
    }

    [Theory]
    [InlineData("a.b")]
    [InlineData("-a")]
    [InlineData("a_b")]
    [InlineData("bücher")]
    [InlineData("blog.example.com")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task What_is_no_label_is_refused(string name)
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, WithHttp);
        await RefusedAsync(house.Agent(Web, o => o with { HostName = name }), ProxyErrorReason.ProtocolError, "must be one label");
    }

    [Fact]
    public async Task A_key_reserves_so_many_names_and_no_more()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, o => WithHttp(o) with { MaxNamesPerKey = 2 });
        foreach (string name in new[] { "one", "two" }) await (await house.RegisterAsync(Web, o => o with { HostName = name })).StopAsync().Within();
        await RefusedAsync(house.Agent(Web, o => o with { HostName = "three" }), ProxyErrorReason.LimitExceeded, "the key has reserved 2 names");
        await house.RegisterAsync(Web, o => o with { HostName = "one" });
    }

    [Fact]
    public async Task A_pool_of_three_serves_three_and_a_fourth_when_one_has_left()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, o => WithHttp(o) with { HostNamePool = ["red", "green", "blue"] });
        TunnelAgent[] agents = [.. await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => house.RegisterAsync(Web, o => o with { Identity = house.NewIdentity() })))];
        Assert.Equal(["blue.localhost", "green.localhost", "red.localhost"], agents.Select(a => a.HostName).Order());
        TunnelIdentity fourth = house.NewIdentity();
        await RefusedAsync(house.Agent(Web, o => o with { Identity = fourth }), ProxyErrorReason.LimitExceeded, "all 3 names of the gateway's pool are in use");
        string freed = agents[1].HostName;
        await agents[1].StopAsync().Within();
        Assert.Equal(freed, (await house.RegisterAsync(Web, o => o with { Identity = fourth })).HostName);
    }

    [Fact]
    public async Task A_name_of_the_pool_is_kept_for_a_lost_agent_while_the_lease_lasts()
    {
        var time = new ManualTime();
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, o => WithHttp(o) with { HostNamePool = ["red"], Lease = TimeSpan.FromMinutes(5), TimeProvider = time, ClockWindow = TimeSpan.FromHours(1) });
        TunnelIdentity other = house.NewIdentity();
        TunnelAgentOptions At(TunnelAgentOptions options) => options with { TimeProvider = time };
        await LoseAsync(house, await RawAsync(house, time));
        Assert.Equal(TunnelLookupStatus.Gone, house.Gateway.Directory.Find("red.localhost", TunnelKind.Http).Status);
        await RefusedAsync(house.Agent(Web, o => At(o) with { Identity = other }), ProxyErrorReason.LimitExceeded, "in use");
        // its own key gets it
        await LoseAsync(house, await RawAsync(house, time));
        time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(TunnelLookupStatus.Unknown, house.Gateway.Directory.Find("red.localhost", TunnelKind.Http).Status);
        Assert.Equal("red.localhost", (await house.RegisterAsync(Web, o => At(o) with { Identity = other })).HostName);
    }

    [Fact]
    public async Task Names_of_the_pool_and_ports_stay_with_their_keys_over_a_restart()
    {
        using var folder = new ScratchFolder();
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, o => WithHttp(o) with { HostNamePool = ["red", "green"], StateFile = folder.File("state.json") });
        TunnelIdentity one = house.NewIdentity(), two = house.NewIdentity();
        TunnelAgent[] before = [await house.RegisterAsync(Web, o => o with { Identity = one }), await house.RegisterAsync(Web, o => o with { Identity = two })];
        TunnelAgent[] ports = [await house.RegisterAsync("tcp://127.0.0.1:9", o => o with { Identity = one }), await house.RegisterAsync("tcp://127.0.0.1:9", o => o with { Identity = two })];
        string[] had = [.. before.Concat(ports).Select(agent => agent.Url.Split(':')[1] + agent.RemoteEndpoint!.Port)];
        foreach (TunnelAgent agent in before.Concat(ports)) await agent.StopAsync().Within();
        await house.RestartAsync(o => o with { HttpPort = house.Gateway.HttpPort });
        // the other way round, and without a memory of their own
        TunnelAgent[] after = [await house.RegisterAsync(Web, o => o with { Identity = two }), await house.RegisterAsync(Web, o => o with { Identity = one })];
        TunnelAgent[] portsAfter = [await house.RegisterAsync("tcp://127.0.0.1:9", o => o with { Identity = two }), await house.RegisterAsync("tcp://127.0.0.1:9", o => o with { Identity = one })];
        Assert.Equal(had, after.Reverse().Concat(portsAfter.Reverse()).Select(agent => agent.Url.Split(':')[1] + agent.RemoteEndpoint!.Port));
    }

    [Fact]
    public async Task A_port_that_is_asked_for_is_given_once_and_within_the_range_only()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        int first = house.Gateway.Options.TcpPorts[0].First;
        TunnelAgent agent = await house.RegisterAsync("tcp://127.0.0.1:9", o => o with { RemotePort = first + 3 });
        Assert.Equal(first + 3, agent.RemoteEndpoint!.Port);
        TunnelIdentity other = house.NewIdentity();
        await RefusedAsync(house.Agent("tcp://127.0.0.1:9", o => o with { RemotePort = first + 3, Identity = other }), ProxyErrorReason.Forbidden, $"TCP port {first + 3} belongs to another key");
        await RefusedAsync(house.Agent("tcp://127.0.0.1:9", o => o with { RemotePort = 22 }), ProxyErrorReason.Forbidden, $"the gateway does not give TCP port 22: those from {first}-{first + 9} it does");
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, first + 4);
        taken.Start();
        await RefusedAsync(house.Agent("tcp://127.0.0.1:9", o => o with { RemotePort = first + 4 }), ProxyErrorReason.AddressInUse, $"TCP port {first + 4} is in use by another program on the gateway");
    }

    [Fact]
    public async Task Ports_of_a_range_are_handed_out_until_there_is_none_left()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        int first = house.Gateway.Options.TcpPorts[0].First;
        house.Gateway.Reconfigure(house.Gateway.Options with { TcpPorts = [new(first, first + 1)] });
        TunnelAgent[] agents = [await house.RegisterAsync("tcp://127.0.0.1:9", o => o with { SessionName = "a" }), await house.RegisterAsync("tcp://127.0.0.1:9", o => o with { SessionName = "b" })];
        Assert.Equal([first, first + 1], agents.Select(a => a.RemoteEndpoint!.Port));
        await RefusedAsync(house.Agent("tcp://127.0.0.1:9", o => o with { SessionName = "c" }), ProxyErrorReason.LimitExceeded, $"all TCP ports that the gateway gives ({first}-{first + 1}) are in use");
        await agents[0].StopAsync().Within();
        Assert.Equal(first, (await house.RegisterAsync("tcp://127.0.0.1:9", o => o with { SessionName = "c" })).RemoteEndpoint!.Port);
    }

    [Theory]
    [InlineData("http://127.0.0.1:9", "the gateway has no port for HTTP")]
    [InlineData("tls://127.0.0.1:9", "the gateway has no port for TLS")]
    [InlineData("tcp://127.0.0.1:9", "the gateway gives no TCP ports")]
    [InlineData("udp://127.0.0.1:9", "the gateway gives no UDP ports")]
    public async Task What_the_gateway_does_not_offer_is_refused(string destination, string words)
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, o => o with { TcpPorts = [], UdpPorts = [] });
        await RefusedAsync(house.Agent(destination), ProxyErrorReason.Unsupported, words);
    }

    [Fact]
    public async Task A_state_file_that_cannot_be_read_is_named()
    {
        using var folder = new ScratchFolder();
        foreach (string text in new[] { "{", "[]", """{"version":2}""", """{"version":1,"names":null}""" })
        {
            string path = folder.Write("state.json", text);
            Assert.Contains($"StateFile '{path}'", Assert.Throws<FormatException>(() => new TunnelGateway(new TunnelGatewayOptions { StateFile = path })).Message, StringComparison.Ordinal);
        }
        await Task.CompletedTask;
    }

    internal static async Task RefusedAsync(TunnelAgent agent, ProxyErrorReason reason, string words)
    {
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => agent.StartAsync().Within());
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
        Assert.Equal(reason, error.Reason);
        Assert.Equal(TunnelAgentState.Stopped, agent.State);
        Assert.Contains(words, agent.StatusMessage, StringComparison.Ordinal);
    }

    private static async Task<RawAgent> RawAsync(Gatehouse house, TimeProvider time)
    {
        RawAgent raw = await RawAgent.ConnectAsync(house.Gateway.LocalPort);
        var claims = RawAgent.Claims(await raw.ChallengeAsync()) with { Time = time.GetUtcNow().ToUnixTimeSeconds(), Tunnel = new() { Kind = "http" } };
        await raw.RegisterAsync(house.Identity, claims);
        Assert.Equal("red.localhost", (await raw.ExpectAsync("registered")).Name);
        return raw;
    }

    // without a word, as when it is killed
    private static async Task LoseAsync(Gatehouse house, RawAgent raw)
    {
        await raw.DisposeAsync();
        await Deadline.Until(() => house.Gateway.GetTunnels().Count == 0, "the agent is lost");
    }
}

using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Tunnels;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Tests.Tunnels;

/// <summary>How many there may be of everything, and what is said to the one too many.</summary>
public class LimitTests
{
    private const string Service = "tcp://127.0.0.1:9";

    [Fact]
    public async Task Agents_are_limited_in_all_and_for_each_key()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, o => o with { MaxAgents = 3, MaxTunnelsPerKey = 2 });
        TunnelAgent first = await house.RegisterAsync(Service);
        await house.RegisterAsync(Service);
        await NameTests.RefusedAsync(house.Agent(Service), ProxyErrorReason.LimitExceeded, "the key has 2 agents, which is as many as one may");
        await house.RegisterAsync(Service, o => o with { Identity = house.NewIdentity() });
        TunnelIdentity fourth = house.NewIdentity();
        await NameTests.RefusedAsync(house.Agent(Service, o => o with { Identity = fourth }), ProxyErrorReason.LimitExceeded, "the gateway has 3 agents, which is as many as it may");
        await first.StopAsync().Within();
        await house.RegisterAsync(Service, o => o with { Identity = fourth });
    }

    [Fact]
    public async Task Who_does_not_introduce_himself_in_time_is_cut_off_and_holds_nobody_up()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, o => o with { HandshakeTimeout = TimeSpan.FromSeconds(2), MaxPendingHandshakes = 2 });
        await using RawAgent mute = await RawAgent.ConnectAsync(house.Gateway.LocalPort), slow = await RawAgent.ConnectAsync(house.Gateway.LocalPort);
        await slow.ChallengeAsync();
        await Deadline.Until(() => house.Gateway.Counters.Active == 2, "both are there");
        await using (RawAgent third = await RawAgent.ConnectAsync(house.Gateway.LocalPort)) await third.Session.Completion.Within();
        await Deadline.Until(() => house.Gateway.Events.ToList().Any(e => e.Message.Contains("2 agents are registering now", StringComparison.Ordinal)), "the third was one too many");
        await mute.Session.Completion.Within();
        await slow.Session.Completion.Within();
        await house.RegisterAsync(Service);
        Assert.Contains(house.Gateway.Events.ToList(), e => e.Reason == ProxyErrorReason.TimedOut);
    }

    [Fact]
    public async Task A_tunnel_has_so_many_visitors_and_no_more()
    {
        await using Origin origin = Origin.Echo();
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, o => o with { MaxConnectionsPerTunnel = 2 });
        TunnelAgent agent = await house.RegisterAsync($"tcp://{origin.Endpoint}", o => o with { Settings = new TunnelSettings { MaxConnections = 100 } });
        int port = agent.RemoteEndpoint!.Port;
        using Client one = await Client.ConnectAsync(port), two = await Client.ConnectAsync(port);
        foreach (Client client in new[] { one, two })
        {
            await client.SendAsync("x");
            await client.ReadAsync(1);
        }
        await Client.AssertTurnedAwayAsync(port);
        Assert.Contains($"tcp:{port}: has 2 connections, which is as many as it may", (await House.EventAsync(house.Gateway, ProxyEventKind.Refused)).Message, StringComparison.Ordinal);
        one.EndSending();
        await one.ReadToEndAsync();
        await Deadline.Until(() => house.Gateway.GetTunnels()[0].Connections == 1, "one has gone");
        using Client three = await Client.ConnectAsync(port);
        await three.SendAsync("x");
        await three.ReadAsync(1);
    }

    [Fact]
    public async Task Visitors_cannot_keep_agents_out()
    {
        await using Origin origin = Origin.Echo();
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, o => o with { MaxConnections = 3 });
        TunnelAgent agent = await house.RegisterAsync($"tcp://{origin.Endpoint}");
        int port = agent.RemoteEndpoint!.Port;
        using Client one = await Client.ConnectAsync(port), two = await Client.ConnectAsync(port);
        await Deadline.Until(() => house.Gateway.Counters.Active == 3, "the gateway is full");
        await Client.AssertTurnedAwayAsync(port);
        await house.RegisterAsync($"tcp://{origin.Endpoint}", o => o with { SessionName = "another" });
    }

    [Fact]
    public async Task An_agent_takes_so_many_visitors_and_says_when_it_takes_no_more()
    {
        await using Origin origin = Origin.Echo();
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        TunnelAgent agent = await house.RegisterAsync($"tcp://{origin.Endpoint}", o => o with { MaxConnections = 1 });
        using Client one = await Client.ConnectAsync(agent.RemoteEndpoint!.Port);
        await one.SendAsync("x");
        await one.ReadAsync(1);
        TunnelRegistration registration = house.Gateway.Directory.Find($"tcp:{agent.RemoteEndpoint.Port}", TunnelKind.Tcp).Registration!;
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => registration.OpenAsync(new TunnelVisitor { Scheme = "tcp" }, CancellationToken.None).Within());
        Assert.Equal((ProxyErrorReason.LimitExceeded, ProxyStage.Request), (error.Reason, error.Stage));
    }

    [Fact]
    public async Task Only_admitted_sources_reach_the_service()
    {
        await using Origin origin = Origin.Echo();
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        TunnelAgent agent = await house.RegisterAsync($"tcp://{origin.Endpoint}", o => o with { Settings = new TunnelSettings { AllowSource = [SourceNetwork.Parse("10.0.0.0/8")] } });
        await Client.AssertTurnedAwayAsync(agent.RemoteEndpoint!.Port);
        Assert.Equal(ProxyErrorReason.ClientNotAdmitted, (await House.EventAsync(house.Gateway, ProxyEventKind.Refused)).Reason);
        Assert.Equal(0, origin.Accepted);
    }

    [Fact]
    public async Task Settings_reach_the_gateway_as_they_are()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, o => o with { HttpPort = 0 });
        var settings = new TunnelSettings
        {
            HostHeader = "inside.example",
            MaxRequestBody = 1_000_000,
            RequestRate = 12.5,
            ClientRequestRate = 3,
            MaxConnections = 77,
            AllowSource = [SourceNetwork.Parse("10.0.0.0/8"), SourceNetwork.Parse("::1")],
            Credentials = [new ProxyCredential("ann", "pass:word")],
        };
        TunnelAgent agent = await house.RegisterAsync("http://127.0.0.1:9", o => o with { Settings = settings, SendProxyProtocol = Engine.Protocols.ProxyHeaderVersion.V2 });
        TunnelSettings seen = house.Gateway.Directory.Find(agent.HostName, TunnelKind.Http).Registration!.Grant.Settings;
        Assert.True(seen.OneClientPerChannel);
        Assert.Equal(settings.AllowSource, seen.AllowSource);
        Assert.True(Assert.Single(seen.Credentials).Matches("ann", "pass:word"));
        Assert.Equal(settings with { AllowSource = [], Credentials = [] }, seen with { AllowSource = [], Credentials = [], OneClientPerChannel = false });
        Assert.DoesNotContain("pass:word", seen.ToString(), StringComparison.Ordinal);
    }

    public static TheoryData<string> Wrong => new(
        """{"maxRequestBody":-1}""", """{"requestRate":-1}""", """{"requestRate":1e300}""", """{"maxConnections":-5}""", """{"hostHeader":"a b"}""", """{"hostHeader":"a\r\nb"}""",
        """{"hostHeader":""}""", """{"allowSource":["nowhere"]}""", """{"allowSource":[null]}""", """{"users":[{"name":""}]}""", """{"users":[null]}""");

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Settings_out_of_their_range_are_refused(string json)
    {
        TunnelRequest request = System.Text.Json.JsonSerializer.Deserialize(json, TunnelJson.Default.TunnelRequest)!;
        Assert.Equal(ProxyErrorReason.ProtocolError, Assert.Throws<ProxyException>(() => TunnelSettingsReader.Read(request, 100)).Reason);
    }

    [Fact]
    public void Options_out_of_their_range_are_named()
    {
        var gateway = new TunnelGatewayOptions();
        AssertNamed("HttpPort", () => new TunnelGateway(gateway with { HttpPort = 65536 }));
        AssertNamed("HttpsPort", () => new TunnelGateway(gateway with { HttpsPort = -1 }));
        AssertNamed("Domain", () => new TunnelGateway(gateway with { Domain = "Example.org" }));
        AssertNamed("Domain", () => new TunnelGateway(gateway with { Domain = "a..b" }));
        AssertNamed("HostNamePool", () => new TunnelGateway(gateway with { HostNamePool = ["a.b"] }));
        AssertNamed("TcpPorts", () => new TunnelGateway(gateway with { TcpPorts = [PortRange.All] }));
        AssertNamed("UdpPorts", () => new TunnelGateway(gateway with { UdpPorts = [PortRange.All] }));
        AssertNamed("PublicAddress", () => new TunnelGateway(gateway with { LocalAddress = "unix:/tmp/x", HttpPort = 0 }));
        AssertNamed("AuthorizedKeys", () => new TunnelGateway(gateway with { AuthorizedKeys = ["x"] }));
        AssertNamed("AuthorizedKeysFile", () => new TunnelGateway(gateway with { AuthorizedKeysFile = "/nowhere/keys" }));
        AssertNamed("MaxAgents", () => new TunnelGateway(gateway with { MaxAgents = 0 }));
        AssertNamed("MaxTunnelsPerKey", () => new TunnelGateway(gateway with { MaxTunnelsPerKey = 0 }));
        AssertNamed("MaxNamesPerKey", () => new TunnelGateway(gateway with { MaxNamesPerKey = -1 }));
        AssertNamed("MaxConnectionsPerTunnel", () => new TunnelGateway(gateway with { MaxConnectionsPerTunnel = 4001 }));
        AssertNamed("MaxPendingHandshakes", () => new TunnelGateway(gateway with { MaxPendingHandshakes = 0 }));
        AssertNamed("Lease", () => new TunnelGateway(gateway with { Lease = TimeSpan.FromSeconds(-1) }));
        AssertNamed("SilenceLimit", () => new TunnelGateway(gateway with { SilenceLimit = TimeSpan.Zero }));
        AssertNamed("ClockWindow", () => new TunnelGateway(gateway with { ClockWindow = TimeSpan.Zero }));
        using var identity = TunnelIdentity.Create();
        var agent = new TunnelAgentOptions { Gateway = GatewayAddress.Parse("tunnel://g:1"), Destination = TunnelDestination.Parse("tcp://s:1"), Identity = identity };
        AssertNamed("RemotePort", () => new TunnelAgent(agent with { RemotePort = 70_000 }));
        AssertNamed("RemotePort", () => new TunnelAgent(agent with { RemotePort = 80, Destination = TunnelDestination.Parse("http://s") }));
        AssertNamed("HostName", () => new TunnelAgent(agent with { HostName = "x" }));
        AssertNamed("SessionName", () => new TunnelAgent(agent with { SessionName = "" }));
        AssertNamed("SendProxyProtocol", () => new TunnelAgent(agent with { SendProxyProtocol = Engine.Protocols.ProxyHeaderVersion.V1, Destination = TunnelDestination.Parse("udp://s:1") }));
        AssertNamed("MaxConnections", () => new TunnelAgent(agent with { MaxConnections = 0 }));
        AssertNamed("MaxRetry", () => new TunnelAgent(agent with { MaxRetry = TimeSpan.FromMilliseconds(1) }));
        AssertNamed("ConnectTimeout", () => new TunnelAgent(agent with { ConnectTimeout = TimeSpan.Zero }));
    }

    [Fact]
    public async Task A_gateway_without_key_or_token_is_for_its_own_machine()
    {
        await using var gateway = new TunnelGateway(new TunnelGatewayOptions { LocalAddress = "0.0.0.0" });
        FormatException error = await Assert.ThrowsAsync<FormatException>(() => gateway.StartAsync());
        Assert.Contains("give AuthorizedKeys or a Token, listen on 127.0.0.1, or say AllowAnonymous", error.Message, StringComparison.Ordinal);
        await using var guarded = new TunnelGateway(new TunnelGatewayOptions { LocalAddress = "0.0.0.0", Token = new TunnelToken("x") });
        await guarded.StartAsync().Within();
    }

    [Fact]
    public async Task A_public_port_that_is_taken_fails_the_start_and_leaves_nothing_bound()
    {
        await using Origin taken = Origin.Echo();
        await using var gateway = new TunnelGateway(new TunnelGatewayOptions { HttpPort = 0, HttpsPort = taken.Port });
        Assert.Equal(ProxyErrorReason.AddressInUse, (await Assert.ThrowsAsync<ProxyException>(() => gateway.StartAsync())).Reason);
        Assert.Equal(Engine.Serving.ServiceState.Created, gateway.State);
        int http = gateway.HttpPort;
        await using var other = new TunnelGateway(new TunnelGatewayOptions { LocalPort = http });
        await other.StartAsync().Within();
    }

    private static void AssertNamed(string option, Func<object> make) => Assert.Contains(option, Assert.Throws<FormatException>(make).Message, StringComparison.Ordinal);
}

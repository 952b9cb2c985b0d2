using ProxyShell.Engine.Configuration;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Tests.Tunnels;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Tests.Configuration;

/// <summary>Running agents and gateways become what another configuration says.</summary>
public sealed class ConfiguredAgentsTests : IAsyncLifetime
{
    private readonly Origin _origin = Origin.Echo();
    private readonly ConfiguredServices _services = new();
    private readonly ScratchFolder _folder = new();
    private Gatehouse _house = null!;

    public async Task InitializeAsync()
    {
        _house = await Gatehouse.StartAsync(Sockets.Kinds.First());
        foreach (string name in new[] { "one", "two" }) TunnelIdentity.Create(_folder.File($"{name}.pem")).Dispose();
    }

    public async Task DisposeAsync()
    {
        await _services.DisposeAsync().AsTask().Within();
        await _house.DisposeAsync();
        await _origin.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task An_agent_of_a_file_publishes_its_service()
    {
        List<string> told = [];
        _services.EventWritten += (_, item) =>
        {
            lock (told) told.Add($"{item.Service}: {item.Message}");
        };
        await StartAsync(Agent("ssh"));
        await AssertEchoesAsync("ssh");
        string line = $"ssh: {Running("ssh").Url} leads to tcp://127.0.0.1:{_origin.Port}";
        await Deadline.Until(() => Told(line), "the log says what is published where");

        bool Told(string what)
        {
            lock (told) return told.Contains(what);
        }
    }

    [Fact]
    public async Task A_file_with_the_same_content_changes_nothing()
    {
        string[] all = [Agent("a", "\"chain\": [], \"allowSource\": [\"127.0.0.0/8\"], \"requestRate\": 5"), Agent("b", "\"sessionName\": \"b\"")];
        await StartAsync(all);
        TunnelAgent[] before = [.. _services.RunningAgents];
        ConfigurationChanges changes = await ApplyAsync(all);
        Assert.Equal(("nothing has changed", 2), (changes.ToString(), changes.Unchanged));
        Assert.Equal(before, _services.RunningAgents);
    }

    [Fact]
    public async Task An_agent_that_has_changed_is_replaced_on_its_port_and_visitors_may_finish()
    {
        await using Origin other = Origin.Echo();
        await StartAsync(Agent("ssh", "\"stopTimeout\": 60"));
        TunnelAgent old = Running("ssh");
        int port = old.RemoteEndpoint!.Port;
        using Client early = await Client.ConnectAsync(port);
        await AssertEchoesAsync(early);

        ConfigurationChanges changes = await ApplyAsync(Agent("ssh", "\"stopTimeout\": 60", other.Port));

        Assert.Equal($"restarted ssh (changed Destination from tcp://127.0.0.1:{_origin.Port} to tcp://127.0.0.1:{other.Port})", changes.ToString());
        Assert.NotSame(old, Running("ssh"));
        Assert.Equal(port, Running("ssh").RemoteEndpoint!.Port);
        await Deadline.Until(() => _house.Gateway.GetTunnels().Count(tunnel => !tunnel.IsDraining) == 1, "the gateway leads to the new agent only");
        await AssertEchoesAsync("ssh");
        await AssertEchoesAsync(early);
        Assert.Equal(1, Running("ssh").Counters.Accepted);
        early.Dispose();
        await old.Completion.Within();
    }

    [Fact]
    public async Task Agents_are_added_and_removed()
    {
        await StartAsync(Agent("old"), Agent("stays", "\"sessionName\": \"stays\""));
        TunnelAgent old = Running("old"), stays = Running("stays");
        ConfigurationChanges changes = await ApplyAsync(Agent("stays", "\"sessionName\": \"stays\""), Agent("new", "\"sessionName\": \"new\""));
        Assert.Equal("added new; removed old; 1 as before", changes.ToString());
        Assert.Equal("new", Assert.Single(changes.StartedAgents).Name);
        Assert.Same(stays, Running("stays"));
        await old.Completion.Within();
        await AssertEchoesAsync("new");
        await AssertEchoesAsync("stays");
    }

    [Fact]
    public async Task An_agent_that_is_refused_leaves_all_as_it_was()
    {
        await StartAsync(Agent("one"));
        TunnelAgent one = Running("one");
        int port = one.RemoteEndpoint!.Port;
        var error = await Assert.ThrowsAsync<ServiceStartException>(() => ApplyAsync(Agent("one", "\"maxConnections\": 7"), Agent("taken", $"\"remotePort\": {port}", identity: "two")));
        Assert.StartsWith("taken cannot start: ", error.Message, StringComparison.Ordinal);
        Assert.Contains($"TCP port {port} belongs to another key", error.Message, StringComparison.Ordinal);
        Assert.Same(one, Assert.Single(_services.RunningAgents));
        await Deadline.Until(() => _house.Gateway.GetTunnels().Count == 1, "nobody else is registered");
        await AssertEchoesAsync("one");
    }

    [Fact]
    public async Task A_gateway_that_cannot_be_reached_does_not_stop_the_start()
    {
        await StartAsync($$"""{ "name": "lost", "gateway": "tunnel://127.0.0.1:{{Ports.Take()}}", "destination": "tcp://127.0.0.1:1", "identityFile": "one.pem" }""", Agent("ssh"));
        Assert.StartsWith("reconnecting in", Running("lost").StatusMessage, StringComparison.Ordinal);
        await AssertEchoesAsync("ssh");
    }

    [Fact]
    public async Task A_start_that_waits_for_a_gateway_can_be_cancelled()
    {
        using var deaf = new DeafListener();
        using var cancel = new CancellationTokenSource();
        ProxyConfiguration configuration = Parse($$"""
            { "accessListeners": [{ "name": "in", "destination": "127.0.0.1:1" }],
              "tunnels": [{ "name": "lost", "gateway": "tunnel://{{deaf.EndPoint}}", "destination": "tcp://127.0.0.1:1", "identityFile": "one.pem" }] }
            """);
        Task start = _services.StartAsync(configuration, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => start.Within());
        Assert.Empty(_services.Running);
        Assert.Empty(_services.RunningAgents);
    }

    [Fact]
    public async Task A_gateway_and_its_agents_may_stand_in_one_file_and_the_gateway_may_be_restarted()
    {
        int port = Ports.Take(), first = Ports.Take();
        string agent = $$"""{ "name": "ssh", "gateway": "tunnel://127.0.0.1:{{port}}", "destination": "tcp://127.0.0.1:{{_origin.Port}}", "identityFile": "one.pem", "firstRetry": 0.05 }""";
        await _services.StartAsync(Parse(Both(""))).Within();
        await AssertEchoesAsync("ssh");

        ConfigurationChanges changes = await _services.ApplyAsync(Parse(Both("\"maxAgents\": 5,"))).Within();
        Assert.Equal("changed gate; 1 as before", changes.ToString());
        changes = await _services.ApplyAsync(Parse(Both("\"lease\": 9,"))).Within();

        Assert.Equal("restarted gate (A running service cannot change Lease from 00:05:00 to 00:00:09); 1 as before", changes.ToString());
        await Gatehouse.ConnectedAsync(Running("ssh"), registrations: 2);
        await AssertEchoesAsync("ssh");
        await _services.StopAsync().Within();

        string Both(string more) => $$"""{ "tunnelGateways": [{ "name": "gate", {{more}} "localPort": {{port}}, "tcpPorts": [{{first}}] }], "tunnels": [{{agent}}] }""";
    }

    [Fact]
    public async Task A_gateway_that_keeps_only_a_public_port_takes_it_over()
    {
        int port = Ports.Take();
        await _services.StartAsync(Parse($$"""{ "tunnelGateways": [{ "name": "gate", "httpPort": {{port}} }] }""")).Within();
        int control = Assert.Single(_services.Running).LocalPort;
        ConfigurationChanges changes = await _services.ApplyAsync(Parse($$"""{ "tunnelGateways": [{ "name": "gate", "httpPort": {{port}}, "domain": "example.org" }] }""")).Within();
        Assert.Equal("restarted gate (A running service cannot change Domain from localhost to example.org)", changes.ToString());
        Assert.Equal(port, Assert.IsType<TunnelGateway>(Assert.Single(_services.Running)).HttpPort);
        Assert.NotEqual(control, _services.Running[0].LocalPort);
    }

    private async Task AssertEchoesAsync(string name)
    {
        using Client client = await Client.ConnectAsync(Running(name).RemoteEndpoint!.Port);
        await AssertEchoesAsync(client);
    }

    private static async Task AssertEchoesAsync(Client client)
    {
        await client.SendAsync("hello");
        Assert.Equal("hello"u8.ToArray(), await client.ReadAsync(5));
    }

    private string Agent(string name, string more = "", int port = 0, string identity = "one") => $$"""
        { "name": "{{name}}", "gateway": "{{_house.Address}}", "destination": "tcp://127.0.0.1:{{(port == 0 ? _origin.Port : port)}}", "identityFile": "{{identity}}.pem"{{(more.Length > 0 ? ", " + more : "")}} }
        """;

    private ProxyConfiguration Parse(string json) => ProxyConfiguration.Parse(json, directory: _folder.Path);

    private ProxyConfiguration Of(string[] agents) => Parse($$"""{ "tunnels": [{{string.Join(',', agents)}}] }""");

    private Task StartAsync(params string[] agents) => _services.StartAsync(Of(agents)).Within();

    private Task<ConfigurationChanges> ApplyAsync(params string[] agents) => _services.ApplyAsync(Of(agents)).Within();

    private TunnelAgent Running(string name) => Assert.Single(_services.RunningAgents, agent => agent.Name == name);
}

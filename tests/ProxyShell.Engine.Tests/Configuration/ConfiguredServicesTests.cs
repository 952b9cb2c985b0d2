using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Configuration;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Tests.Configuration;

/// <summary>Running services become what another configuration says.</summary>
public sealed class ConfiguredServicesTests : IAsyncDisposable
{
    private readonly Origin _origin = Origin.Echo();
    private readonly ConfiguredServices _services = new();
    private readonly ScratchFolder _folder = new();

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync().AsTask().Within();
        await _origin.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Another_chain_is_taken_by_new_connections_and_open_ones_live_on()
    {
        await using var house = new House(Sockets.Kinds.First());
        ProxyServer one = await house.ProxyAsync(), two = await house.ProxyAsync();
        await StartAsync(Listener("in", $"\"chain\": [\"{one.Uri}\"]"));
        using Client early = await Client.ConnectAsync(Port("in"));
        await AssertEchoesAsync(early);

        ConfigurationChanges changes = await ApplyAsync(Listener("in", $"\"chain\": [\"{two.Uri}\"], \"maxConnections\": 10"));

        Assert.Equal("changed in", changes.ToString());
        using Client late = await Client.ConnectAsync(Port("in"));
        await AssertEchoesAsync(early, late);
        Assert.Equal((1L, 1L), (one.Counters.Accepted, two.Counters.Accepted));
        Assert.Equal($"changed MaxConnections from 20000 to 10; Chain from {one.Uri} to {two.Uri}", (await House.EventAsync(Service("in"), ProxyEventKind.Reconfigured)).Message);
    }

    [Fact]
    public async Task A_file_with_the_same_content_changes_nothing_whatever_is_in_it()
    {
        string whole = Whole();
        await _services.StartAsync(ProxyConfiguration.Parse(whole, directory: _folder.Path)).Within();
        ListenerService[] before = [.. _services.Running];

        ConfigurationChanges changes = await _services.ApplyAsync(ProxyConfiguration.Parse(whole, directory: _folder.Path)).Within();

        Assert.Equal(("nothing has changed", 2), (changes.ToString(), changes.Unchanged));
        Assert.Equal(before, _services.Running);
        Assert.DoesNotContain(before.SelectMany(service => service.Events.ToList()), item => item.Kind == ProxyEventKind.Reconfigured);
    }

    [Fact]
    public async Task What_is_known_of_alternates_is_kept_where_they_are_the_same()
    {
        const string Group = """["relay://127.0.0.1:1", "relay://127.0.0.1:2"]""", Rule = "\"rules\": [{ \"port\": [25], \"chain\": [" + Group + "] }]";
        await StartAsync(Listener("in", $"\"chain\": [{Group}, \"relay://127.0.0.1:3\"], {Rule}"));
        var listener = (AccessListener)Service("in");
        AccessListenerOptions before = listener.Options;

        await ApplyAsync(Listener("in", $"\"chain\": [{Group}, \"relay://127.0.0.1:3\"], \"maxConnections\": 10, {Rule}"));
        Assert.Same(before.Chain, listener.Options.Chain);
        Assert.Same(before.Rules[0], listener.Options.Rules[0]);

        await ApplyAsync(Listener("in", $"\"chain\": [\"relay://127.0.0.1:4\", {Group}]"));
        Assert.Same(before.Chain.Places[0], listener.Options.Chain.Places[1]);
        Assert.Equal("relay://127.0.0.1:4", listener.Options.Chain.Places[0].ToString());

        await ApplyAsync(Listener("in", """ "chain": [{ "selection": "random", "alternates": ["relay://127.0.0.1:1", "relay://127.0.0.1:2"] }] """));
        Assert.NotSame(before.Chain.Places[0], listener.Options.Chain.Places[0]);
    }

    [Fact]
    public async Task Services_are_added_and_removed_and_connections_may_finish()
    {
        await StartAsync(Listener("old", "\"stopTimeout\": 60"), Listener("stays"));
        using Client early = await Client.ConnectAsync(Port("old"));
        await AssertEchoesAsync(early);
        int oldPort = Port("old"), stays = Port("stays");
        Task freed = Service("old").AddressFreed;
        List<string> told = [];
        _services.EventWritten += (_, item) =>
        {
            lock (told) told.Add($"{item.Service} {item.Kind}");
        };

        ConfigurationChanges changes = await ApplyAsync(Listener("stays"), Listener("new"));

        Assert.Equal("added new; removed old; 1 as before", changes.ToString());
        Assert.Equal(["stays", "new"], _services.Running.Select(service => service.Name));
        Assert.Equal("new", Assert.Single(changes.Started).Name);
        Assert.Equal(stays, Port("stays"));
        using Client late = await Client.ConnectAsync(Port("new"));
        await AssertEchoesAsync(early, late);
        await freed.Within();
        await AssertNobodyListensAsync(oldPort);
        early.Dispose();
        await Deadline.Until(() => Told("old Stopped") && Told("new Started"), "the events of those that come and go are told");

        bool Told(string what)
        {
            lock (told) return told.Contains(what);
        }
    }

    [Fact]
    public async Task What_a_running_service_cannot_change_restarts_it_on_its_address()
    {
        int first = Ports.Take(), port = Ports.Take();
        await StartAsync(Listener("in", $"\"localPort\": {first}, \"stopTimeout\": 60"));
        using Client early = await Client.ConnectAsync(first);
        await AssertEchoesAsync(early);

        ConfigurationChanges changes = await ApplyAsync(Listener("in", $"\"localPort\": {port}, \"stopTimeout\": 60"));
        Assert.Equal($"restarted in (A running service cannot change LocalPort from {first} to {port})", changes.ToString());
        changes = await ApplyAsync($$"""{ "name": "in", "localPort": {{port}}, "destination": "localhost:{{_origin.Port}}" }""");

        Assert.Equal($"restarted in (A running service cannot change Destination from 127.0.0.1:{_origin.Port} to localhost:{_origin.Port})", changes.ToString());
        using Client late = await Client.ConnectAsync(port);
        await AssertEchoesAsync(early, late);
        Assert.Equal(1, Service("in").Counters.Active);
    }

    [Fact]
    public async Task A_socket_file_is_handed_over()
    {
        string path = _folder.File("in.sock");
        await StartAsync(Listener("in", $"\"localAddress\": \"unix:{path}\""));
        await ApplyAsync(Listener("in", $"\"localAddress\": \"unix:{path}\", \"eventCapacity\": 5"));
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path)).Within();
        Assert.Equal(5, ((AccessListener)Service("in")).Options.EventCapacity);
    }

    [Fact]
    public async Task A_service_with_datagrams_hands_its_port_over()
    {
        await using DatagramOrigin echo = DatagramOrigin.Echo();
        string destination = $"\"name\": \"dns\", \"udp\": true, \"destination\": \"127.0.0.1:{echo.Port}\", \"stopTimeout\": 0";
        int first = Ports.Take(), port = Ports.Take();
        await StartAsync($$"""{ {{destination}}, "localPort": {{first}} }""");
        ConfigurationChanges changes = await ApplyAsync($$"""{ {{destination}}, "localPort": {{port}} }""");
        Assert.Equal($"restarted dns (A running service cannot change LocalPort from {first} to {port})", changes.ToString());
        Assert.Equal(port, Port("dns"));
    }

    [Theory]
    [InlineData("other")]
    [InlineData("in")]
    public async Task A_service_that_cannot_start_leaves_all_as_it_was(string name)
    {
        using var busy = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        busy.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        busy.Listen();
        int port = ((IPEndPoint)busy.LocalEndPoint!).Port;
        await StartAsync(Listener("in"), Listener("goes"));
        ListenerService[] before = [.. _services.Running];

        var error = await Assert.ThrowsAsync<ServiceStartException>(() => ApplyAsync(Listener("first"), Listener("in", name == "in" ? $"\"localPort\": {port}" : "\"maxConnections\": 5"), Listener("other", name == "other" ? $"\"localPort\": {port}" : "\"maxConnections\": 5")));

        Assert.Equal($"{name} cannot start: cannot listen on 127.0.0.1:{port}: the address is already in use; choose another port, or 0 for any free one", error.Message);
        Assert.Equal(before, _services.Running);
        Assert.All(before, service => Assert.Equal(ServiceState.Running, service.State));
        Assert.Equal(ServiceOptions.DefaultMaxConnections, ((AccessListener)before[0]).Options.MaxConnections);
        using Client client = await Client.ConnectAsync(Port("in"));
        await AssertEchoesAsync(client);
    }

    [Fact]
    public async Task A_service_that_could_not_be_restarted_is_started_by_the_next_configuration()
    {
        int port = Ports.Take();
        await StartAsync(Listener("in", $"\"localPort\": {port}"), Listener("stays"));
        using (var neighbour = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            neighbour.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.2"), port));
            neighbour.Listen();
            ConfigurationChanges failed = await ApplyAsync(Listener("in", $"\"localAddress\": \"0.0.0.0\", \"allowAnonymous\": true, \"localPort\": {port}"), Listener("stays"));
            Assert.Equal($"in cannot start: cannot listen on 0.0.0.0:{port}: the address is already in use; choose another port, or 0 for any free one", Assert.Single(failed.Failures).Message);
            Assert.Equal(["stays"], _services.Running.Select(service => service.Name));
        }
        Assert.Equal("added in; 1 as before", (await ApplyAsync(Listener("in", $"\"localPort\": {port}"), Listener("stays"))).ToString());
        Assert.Equal(port, Port("in"));
    }

    private static async Task AssertEchoesAsync(params Client[] clients)
    {
        foreach (Client client in clients)
        {
            await client.SendAsync("hello");
            Assert.Equal("hello"u8.ToArray(), await client.ReadAsync(5));
        }
    }

    private static async Task AssertNobodyListensAsync(int port)
    {
        using var client = new Client();
        var error = await Assert.ThrowsAsync<SocketException>(() => client.Socket.ConnectAsync(IPAddress.Loopback, port).Within());
        Assert.Equal(SocketError.ConnectionRefused, error.SocketErrorCode);
    }

    private static ProxyConfiguration Of(string[] listeners) => ProxyConfiguration.Parse($$"""{ "accessListeners": [{{string.Join(',', listeners)}}] }""");

    private Task StartAsync(params string[] listeners) => _services.StartAsync(Of(listeners)).Within();

    private Task<ConfigurationChanges> ApplyAsync(params string[] listeners) => _services.ApplyAsync(Of(listeners)).Within();

    private string Listener(string name, string more = "") => $$"""{ "name": "{{name}}", "destination": "127.0.0.1:{{_origin.Port}}"{{(more.Length > 0 ? $", {more}" : "")}} }""";

    private ListenerService Service(string name) => Assert.Single(_services.Running, service => service.Name == name);

    private int Port(string name) => Service(name).LocalPort;

    // something of every kind of value
    private string Whole()
    {
        _folder.Write("key", Engine.Security.ProxyKey.Create().Reveal());
        _folder.Write("login", "alice:wonderland");
        _folder.Write("gate.pfx", Certificates.Localhost.Export(System.Security.Cryptography.X509Certificates.X509ContentType.Pkcs12, "alice:wonderland"));
        _folder.Write("ca.pem", Certificates.Localhost.ExportCertificatePem());
        string pin = new('A', 64), certificate = """{ "source": "gate.pfx", "password": "file:login" }""";
        string chain = $$"""
            [{ "uri": "relays://127.0.0.1:1", "key": "file:key", "thumbprint": "{{pin}}", "serverName": "h", "clientCertificate": {{certificate}} },
             { "selection": "random", "alternates": [["socks5://file:login@127.0.0.1:2", "ssh://u@127.0.0.1:3"], { "uri": "relay://127.0.0.1:2", "weight": 3 }] }, "relay://127.0.0.1:4"]
            """;
        string common = $$"""
            "rules": [{ "destination": ["*.example.com:80-90"], "port": [80, "90-99"], "chain": {{chain}}, "payloadKey": "file:key" }, { "destination": ["10.0.0.0/8"], "block": true }, { "direct": true }],
            "chain": {{chain}}, "payloadKey": "file:key", "credentials": ["file:login", { "user": "bob", "password": "file:login" }],
            "certificate": {{certificate}}, "certificates": [{{certificate}}], "clientCertificateThumbprints": ["{{pin}}"], "clientCertificateAuthority": ["ca.pem"],
            "allowSource": ["127.0.0.0/8"], "denySource": ["127.0.0.9"], "bandwidthLimit": 5000, "maxConnectionsPerClient": 7, "idleTimeout": "infinite"
            """;
        return $$"""
            { "proxyServers": [{ "name": "p", "keys": ["file:key"], "payloadKeys": ["file:key"], "allowDestination": ["*"], "denyDestination": ["h:1"], {{common}} }],
              "accessListeners": [{ "name": "a", {{common}} }] }
            """;
    }
}

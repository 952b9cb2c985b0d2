using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Chains.Pool;
using ProxyShell.Engine.Configuration;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Tests.Configuration;

public sealed class ConfigurationTests : IDisposable
{
    private readonly ProxyKey _key = ProxyKey.Create();
    private readonly ScratchFolder _folder = new();

    public ConfigurationTests()
    {
        Environment.SetEnvironmentVariable("PX_TEST_KEY", _key.Reveal());
        Environment.SetEnvironmentVariable("PX_TEST_LOGIN", "alice:wonderland");
    }

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("PX_TEST_KEY", null);
        _folder.Dispose();
    }

    [Fact]
    public void Every_option_of_a_proxy_server_can_be_given()
    {
        ProxyServerOptions options = Assert.Single(ProxyConfiguration.Parse("""
            {
              // comments and trailing commas are fine
              "proxyServers": [{
                "name": "p1", "localAddress": "::1", "localPort": 4101, "keys": ["env:PX_TEST_KEY"],
                "allowDestination": ["10.0.0.0/8", "*.example.com:443"], "denyDestination": ["10.1.0.0/16"],
                "chain": ["relay://192.0.2.1:4100"], "maxConnections": 7, "eventCapacity": 9, "allowAnonymous": true,
                "protocols": ["relay", "Socks5"], "credentials": ["env:PX_TEST_LOGIN", { "user": "bob", "password": "env:PX_TEST_KEY" }],
                "udp": true, "udpIdleTimeout": 7, "maxConnectionsPerClient": 3, "bandwidthLimit": 5000000000, "clientBandwidthLimit": 1000000, "allowSource": ["10.0.0.0/8", "::1"], "denySource": ["10.1.0.0/16"],
                "idleTimeout": "infinite", "connectTimeout": "00:00:05", "handshakeTimeout": 2.5, "stopTimeout": 0, "clockWindow": "00:01:00",
                "sessions": { "maxSessions": 2, "maxChannels": 3, "idleTimeout": "infinite", "keepAlive": 5 },
              }],
            }
            """).ProxyServers);
        Assert.Equal(("p1", "::1", 4101, 7, 9, true), (options.Name, options.LocalAddress, options.LocalPort, options.MaxConnections, options.EventCapacity, options.AllowAnonymous));
        Assert.Equal(_key, Assert.Single(options.Keys));
        Assert.Equal(["10.0.0.0/8", "*.example.com:443"], options.AllowDestination.Select(p => p.ToString()));
        Assert.Equal(["10.1.0.0/16"], options.DenyDestination.Select(p => p.ToString()));
        Assert.Equal("relay://192.0.2.1:4100", options.Chain.ToString());
        Assert.Equal(ProxyProtocols.Relay | ProxyProtocols.Socks5, options.Protocols);
        Assert.Equal([true, false], options.Credentials.Select(c => c.Matches("alice", "wonderland")));
        Assert.Equal([false, true], options.Credentials.Select(c => c.Matches("bob", _key.Reveal())));
        Assert.Equal((true, TimeSpan.FromSeconds(7)), (options.Udp, options.UdpIdleTimeout));
        Assert.Equal((5_000_000_000, 1_000_000), (options.BandwidthLimit, options.ClientBandwidthLimit));
        Assert.Equal((3, "10.0.0.0/8 ::1", "10.1.0.0/16"), (options.MaxConnectionsPerClient, string.Join(' ', options.AllowSource), string.Join(' ', options.DenySource)));
        Assert.Equal(Timeout.InfiniteTimeSpan, options.IdleTimeout);
        Assert.Equal(TimeSpan.FromSeconds(5), options.ConnectTimeout);
        Assert.Equal(TimeSpan.FromSeconds(2.5), options.HandshakeTimeout);
        Assert.Equal(TimeSpan.Zero, options.StopTimeout);
        Assert.Equal(TimeSpan.FromMinutes(1), options.ClockWindow);
        Assert.Equal(new SessionPooling { MaxSessions = 2, MaxChannels = 3, IdleTimeout = Timeout.InfiniteTimeSpan, KeepAlive = TimeSpan.FromSeconds(5) }, options.Sessions);
    }

    [Fact]
    public void What_is_not_given_keeps_the_default_of_the_options()
    {
        ProxyConfiguration configuration = ProxyConfiguration.Parse("""{ "proxyServers": [{}], "accessListeners": [{ "destination": "127.0.0.1:80", "name": null }] }""");
        Assert.Equal(new ProxyServerOptions().ConnectTimeout, configuration.ProxyServers[0].ConnectTimeout);
        Assert.Equal(ServiceOptions.DefaultMaxConnections, configuration.AccessListeners[0].MaxConnections);
        Assert.Equal("127.0.0.1", configuration.ProxyServers[0].LocalAddress);
        Assert.Equal(SessionPooling.Default, configuration.ProxyServers[0].Sessions);
        Assert.Equal(["ProxyServer1", "AccessListener1"], configuration.CreateServices().Select(service => service.Name));
    }

    [Fact]
    public void A_chain_takes_uris_and_objects()
    {
        string pin = new('A', 64);
        AccessListenerOptions options = Assert.Single(ProxyConfiguration.Parse($$"""
            { "accessListeners": [{ "destination": "example.com:443", "chain": [
                "relay://env:PX_TEST_KEY@192.0.2.1:4101",
                { "uri": "relays://192.0.2.2:4102", "key": "env:PX_TEST_KEY", "thumbprint": "{{pin}}", "serverName": "proxy.example" },
                "relay+unix:/run/p.sock" ] }] }
            """).AccessListeners);
        Assert.Equal("relay://192.0.2.1:4101 > relays://192.0.2.2:4102 > relay+unix:/run/p.sock", options.Chain.ToString());
        Assert.Equal([_key, _key, null], options.Chain.Hops.Select(hop => hop.Key));
        Assert.Equal((pin, "proxy.example"), (options.Chain.Hops[1].Trust.Thumbprint, options.Chain.Hops[1].ServerName));
    }

    [Fact]
    public void An_access_listener_without_a_destination_serves_who_says_it_himself()
    {
        ProxyConfiguration configuration = ProxyConfiguration.Parse("""
            { "accessListeners": [{ }, { "protocols": ["http"], "credentials": ["env:PX_TEST_LOGIN"], "chain": ["socks5://h"] }] }
            """);
        Assert.Equal([null, ProxyProtocols.Http], configuration.AccessListeners.Select(options => options.Protocols));
        Assert.All(configuration.AccessListeners, options => Assert.Null(options.Destination));
        Assert.Equal("alice", Assert.Single(configuration.AccessListeners[1].Credentials).UserName);
    }

    [Fact]
    public void An_access_listener_may_carry_datagrams()
    {
        Assert.True(ProxyConfiguration.Parse("""{ "accessListeners": [{ "destination": "h:53", "udp": true }] }""").AccessListeners[0].Udp);
        var error = Assert.Throws<ConfigurationException>(() => ProxyConfiguration.Parse("""{ "accessListeners": [{ "udp": true }] }"""));
        Assert.Equal(("$.accessListeners[0]", "Udp needs a Destination: a datagram does not say where it wants to go."), (error.Path, error.Fault));
    }

    [Fact]
    public void PROXY_headers_are_accepted_and_sent()
    {
        ProxyConfiguration configuration = ProxyConfiguration.Parse("""
            { "proxyServers": [{ "acceptProxyProtocol": true }],
              "accessListeners": [{ "destination": "h:1", "acceptProxyProtocol": true, "sendProxyProtocol": "v2" }, { "destination": "h:1", "sendProxyProtocol": "V1" }, {}] }
            """);
        Assert.True(configuration.ProxyServers[0].AcceptProxyProtocol);
        Assert.Equal([true, false, false], configuration.AccessListeners.Select(options => options.AcceptProxyProtocol));
        Assert.Equal([ProxyHeaderVersion.V2, ProxyHeaderVersion.V1, ProxyHeaderVersion.None], configuration.AccessListeners.Select(options => options.SendProxyProtocol));
    }

    [Fact]
    public void Payload_keys_stand_beside_keys_and_chains()
    {
        ProxyConfiguration configuration = ProxyConfiguration.Parse("""
            {
              "proxyServers": [{ "payloadKeys": ["env:PX_TEST_KEY"], "chain": ["relay://192.0.2.1:4100"], "payloadKey": "env:PX_TEST_KEY" }],
              "accessListeners": [{ "destination": "h:1", "chain": ["relay://192.0.2.1:4100"], "payloadKey": "env:PX_TEST_KEY" }, { "destination": "h:1", "chain": ["relay://h:2"] }],
            }
            """);
        ProxyServerOptions server = Assert.Single(configuration.ProxyServers);
        Assert.Equal(_key, Assert.Single(server.PayloadKeys));
        Assert.Empty(server.Keys);
        Assert.Equal(_key, server.Chain.PayloadKey);
        Assert.Equal([_key, null], configuration.AccessListeners.Select(options => options.Chain.PayloadKey));
    }

    [Fact]
    public void A_payload_key_without_a_chain_is_a_fault()
    {
        var error = Assert.Throws<ConfigurationException>(() =>
            ProxyConfiguration.Parse("""{ "accessListeners": [{ "destination": "h:1", "payloadKey": "env:PX_TEST_KEY" }] }"""));
        Assert.Equal("$.accessListeners[0].payloadKey", error.Path);
        Assert.Contains("there is no \"chain\"", error.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_finds_its_keys_and_certificates_beside_it()
    {
        _folder.Write("p.key", _key.Reveal() + "\n");
        _folder.Write("p.pem", Certificates.Localhost.ExportCertificatePem() + "\n" + PrivateKeyPem());
        string file = _folder.Write("px.json", """{ "proxyServers": [{ "keys": ["file:p.key"], "certificate": "p.pem" }] }""");
        ProxyServerOptions options = Assert.Single(ProxyConfiguration.Load(file).ProxyServers);
        Assert.Equal(_key, Assert.Single(options.Keys));
        Assert.Equal(Certificates.Localhost.Thumbprint, Assert.IsType<ReloadingCertificate>(Assert.Single(options.Certificates)).Certificate.Thumbprint);
    }

    [Fact]
    public void A_key_file_that_others_may_read_is_a_warning()
    {
        if (OperatingSystem.IsWindows()) return;
        string key = _folder.Write("p.key", _key.Reveal());
        string file = _folder.Write("px.json", """{ "proxyServers": [{ "keys": ["file:p.key"] }] }""");
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Assert.Contains(key, Assert.Single(ProxyConfiguration.Load(file).Warnings), StringComparison.Ordinal);
        File.SetUnixFileMode(key, UnixFileMode.UserRead);
        Assert.Empty(ProxyConfiguration.Load(file).Warnings);
    }

    [Fact]
    public async Task The_services_of_a_file_work_together()
    {
        ProxyConfiguration servers = ProxyConfiguration.Parse("""{ "proxyServers": [{ "keys": ["env:PX_TEST_KEY"] }] }""");
        await using ListenerService server = Assert.Single(servers.CreateServices());
        await server.StartAsync();
        string uri = server.Uri.Replace("//", "//env:PX_TEST_KEY@", StringComparison.Ordinal);
        ProxyConfiguration access = ProxyConfiguration.Parse($$"""{ "accessListeners": [{ "destination": "127.0.0.1:9", "chain": ["{{uri}}"] }] }""");
        await using ListenerService listener = Assert.Single(access.CreateServices());
        await listener.StartAsync();
        Assert.Equal(ServiceState.Running, listener.State);
        Assert.Equal(_key, ((AccessListener)listener).Chain.Hops[0].Key);
    }

    [Theory]
    [InlineData("docs/configuration.md")]
    [InlineData("README.md")]
    public void The_examples_of_the_documentation_are_valid(string page)
    {
        string key = _folder.Write("gate.key", _key.Reveal());
        _folder.Write("gate.pfx", Certificates.Localhost.Export(X509ContentType.Pkcs12, "secret"));
        using TunnelIdentity identity = TunnelIdentity.Create(_folder.File("agent.pem"));
        _folder.Write("agents.txt", identity.Thumbprint + " laptop\n");
        _folder.Write("gate.pem", Certificates.Localhost.ExportCertificatePem() + "\n" + PrivateKeyPem());
        Environment.SetEnvironmentVariable("PX_TOKEN", "open sesame");
        Environment.SetEnvironmentVariable("PX_KEY", _key.Reveal());
        Environment.SetEnvironmentVariable("PFX_PASSWORD", "secret");
        string[] examples = [.. File.ReadAllText(Path.Combine(Repository.Root, page)).Split("```json\n").Skip(1).Select(text => text[..text.IndexOf("```", StringComparison.Ordinal)])];
        Assert.NotEmpty(examples);
        foreach (string example in examples) ProxyConfiguration.Parse(example, page, Path.GetDirectoryName(key));
    }

    public static TheoryData<string> Examples => [.. Directory.GetFiles(Path.Combine(Repository.Root, "examples"), "*.json").Select(file => Path.GetFileName(file)!)];

    // the secrets and certificates that they refer to stand beside them
    [Theory]
    [MemberData(nameof(Examples))]
    public void The_example_is_valid(string name)
    {
        foreach (string key in new[] { "dc.key", "gate.key", "inner.key", "pipe.key" }) _folder.Write(key, _key.Reveal());
        using TunnelIdentity identity = TunnelIdentity.Create(_folder.File("agent.pem"));
        _folder.Write("agents.txt", identity.Thumbprint + " laptop\n");
        foreach (string login in new[] { "alice.login", "team.login" }) _folder.Write(login, "alice:wonderland");
        _folder.Write("other.password", "secret");
        _folder.Write("other.pfx", Certificates.Localhost.Export(X509ContentType.Pkcs12, "secret"));
        _folder.Write("clients-ca.pem", Certificates.Localhost.ExportCertificatePem());
        foreach (string pem in new[] { "gate.pem", "laptop.pem" }) _folder.Write(pem, Certificates.Localhost.ExportCertificatePem() + "\n" + PrivateKeyPem());
        Environment.SetEnvironmentVariable("BUILD_PASSWORD", "secret");
        File.Copy(Path.Combine(Repository.Root, "examples", name), _folder.File(name));

        ProxyConfiguration configuration = ProxyConfiguration.Load(_folder.File(name));

        IEnumerable<string> services = [.. configuration.CreateServices().Select(service => service.Name), .. configuration.Tunnels.Select(tunnel => tunnel.Name)];
        Assert.All(services, service => Assert.Contains($"\"{service}\"", File.ReadAllText(_folder.File(name)), StringComparison.Ordinal));
        Assert.Contains(name, File.ReadAllText(Path.Combine(Repository.Root, "docs", "configuration.md")), StringComparison.Ordinal);
    }

    public static TheoryData<string> Units => [.. Directory.GetFiles(Path.Combine(Repository.Root, "examples"), "*.service")];

    // what systemd does not know it leaves out with a warning, so the sandbox is looked for by name
    [Theory]
    [MemberData(nameof(Units))]
    public void The_example_of_a_unit_runs_an_example_in_a_sandbox(string unit)
    {
        string[] lines = File.ReadAllLines(unit);
        string start = Assert.Single(lines, line => line.StartsWith("ExecStart=", StringComparison.Ordinal));
        Assert.True(File.Exists(Path.Combine(Repository.Root, "examples", start[(start.LastIndexOf(' ') + 1)..])), start);
        Assert.Contains(" run --config ", start, StringComparison.Ordinal);
        foreach (string line in new[] { "ExecReload=/bin/kill -HUP $MAINPID", "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "StateDirectory=proxyshell", "SystemCallFilter=@system-service" })
            Assert.Contains(line, lines);
        Assert.DoesNotContain(lines, line => line.StartsWith("MemoryDenyWriteExecute=yes", StringComparison.Ordinal));
    }

    // a fault names what is known at its place
    [Theory]
    [InlineData("""{ "x": 1 }""")]
    [InlineData("""{ "proxyServers": [{ "x": 1 }] }""")]
    [InlineData("""{ "accessListeners": [{ "x": 1 }] }""")]
    [InlineData("""{ "accessListeners": [{ "chain": [{ "uri": "relays://h:1", "x": 1 }] }] }""")]
    [InlineData("""{ "accessListeners": [{ "chain": [{ "alternates": ["relays://h:1"], "x": 1 }] }] }""")]
    [InlineData("""{ "accessListeners": [{ "chain": [[{ "hops": ["relays://h:1"], "x": 1 }]] }] }""")]
    [InlineData("""{ "accessListeners": [{ "rules": [{ "direct": true, "x": 1 }] }] }""")]
    [InlineData("""{ "tunnelGateways": [{ "x": 1 }] }""")]
    [InlineData("""{ "tunnelGateways": [{ "http": { "x": 1 } }] }""")]
    [InlineData("""{ "tunnelGateways": [{ "http": { "accessLog": { "path": "log", "x": 1 } } }] }""")]
    [InlineData("""{ "stripedPipes": [{ "peer": "h:1", "x": 1 }] }""")]
    [InlineData("""{ "stripedPipes": [{ "accept": true, "destination": "h:1", "x": 1 }] }""")]
    [InlineData("""{ "stripedPipes": [{ "peer": "h:1", "chains": [{ "chain": [], "x": 1 }] }] }""")]
    [InlineData("""{ "tunnels": [{ "gateway": "tunnel://h:1", "destination": "tcp://h:1", "identityFile": "IDENTITY", "x": 1 }] }""")]
    [InlineData("""{ "accessListeners": [{ "credentials": [{ "user": "u", "password": "env:PX_TEST_KEY", "x": 1 }] }] }""")]
    public void The_page_names_every_property(string json)
    {
        using TunnelIdentity identity = TunnelIdentity.Create(_folder.File("IDENTITY"));
        string fault = Assert.Throws<ConfigurationException>(() => ProxyConfiguration.Parse(json, directory: _folder.Path)).Fault;
        Assert.StartsWith("is not known here; ", fault, StringComparison.Ordinal);
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "configuration.md"));
        string[] known = fault["is not known here; ".Length..^" are.".Length].Split(", ");
        Assert.DoesNotContain(known, name => !page.Contains($"`{name}`", StringComparison.Ordinal) && !page.Contains($"\"{name}\"", StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_that_is_not_there_is_named()
    {
        string missing = _folder.File("none.json");
        Assert.Equal($"{missing}: the file does not exist.", Assert.Throws<ConfigurationException>(() => ProxyConfiguration.Load(missing)).Message);
        Assert.Equal($"{_folder.Path}: is a directory, not a file.", Assert.Throws<ConfigurationException>(() => ProxyConfiguration.Load(_folder.Path)).Message);
    }

    private static string PrivateKeyPem()
    {
        using ECDsa key = Certificates.Localhost.GetECDsaPrivateKey()!;
        return key.ExportPkcs8PrivateKeyPem();
    }
}

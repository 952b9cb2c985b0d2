using ProxyShell.Engine.Configuration;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Tunnels;
using ProxyShell.Engine.Tunnels.Http;

namespace ProxyShell.Engine.Tests.Configuration;

/// <summary>Gateways and agents in files.</summary>
public sealed class TunnelConfigurationTests : IDisposable
{
    private const string Token = "open sesame, and quickly";

    private readonly ScratchFolder _folder = new();
    private readonly TunnelIdentity _identity;

    public TunnelConfigurationTests()
    {
        _identity = TunnelIdentity.Create(_folder.File("agent.pem"));
        _folder.Write("token", Token);
        _folder.Write("login", "alice:wonderland");
        _folder.Write("keys", $"{_identity.Thumbprint} laptop\n");
        _folder.Write("broken", "1 laptop\n2");
        _folder.Write("quoted", "truelaptop\n");
        _folder.Write("wide.pem", "");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_folder.File("wide.pem"), UnixFileMode.UserRead | UnixFileMode.OtherRead);
    }

    public void Dispose()
    {
        _identity.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Every_option_of_a_gateway_can_be_given()
    {
        TunnelGatewayOptions options = Assert.Single(Parse($$"""
            { "tunnelGateways": [{
                "name": "g", "localAddress": "::1", "localPort": 4443, "publicAddress": "127.0.0.1", "httpPort": 8080, "httpsPort": 0, "domain": "tunnels.example",
                "hostNamePool": ["red", "blue"], "tcpPorts": [2000, "2010-2019"], "udpPorts": ["5300-5309"], "authorizedKeys": ["{{_identity.Thumbprint.ToUpperInvariant()}}"],
                "authorizedKeysFile": "keys", "token": "file:token", "stateFile": "state.json", "lease": "00:10:00", "maxAgents": 50, "maxTunnelsPerKey": 3,
                "maxNamesPerKey": 4, "maxConnectionsPerTunnel": 60, "maxPendingHandshakes": 7, "silenceLimit": 8, "clockWindow": 90, "maxConnections": 1234,
                "allowSource": ["10.0.0.0/8"], "stopTimeout": 2 }] }
            """).TunnelGateways);
        Assert.Equal(("g", "::1", 4443, "127.0.0.1", 8080, 0), (options.Name, options.LocalAddress, options.LocalPort, options.PublicAddress, options.HttpPort, options.HttpsPort));
        Assert.Equal(("tunnels.example", "red blue", "2000 2010-2019", "5300-5309"), (options.Domain, string.Join(' ', options.HostNamePool), string.Join(' ', options.TcpPorts), string.Join(' ', options.UdpPorts)));
        Assert.Equal(_identity.Thumbprint, Assert.Single(options.AuthorizedKeys));
        Assert.Equal((_folder.File("keys"), _folder.File("state.json")), (options.AuthorizedKeysFile, options.StateFile));
        Assert.Equal(new TunnelToken(Token), options.Token);
        Assert.Equal((50, 3, 4, 60, 7), (options.MaxAgents, options.MaxTunnelsPerKey, options.MaxNamesPerKey, options.MaxConnectionsPerTunnel, options.MaxPendingHandshakes));
        Assert.Equal((TimeSpan.FromMinutes(10), TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(90), TimeSpan.FromSeconds(2)), (options.Lease, options.SilenceLimit, options.ClockWindow, options.StopTimeout));
        Assert.Equal((1234, "10.0.0.0/8"), (options.MaxConnections, string.Join(' ', options.AllowSource)));
    }

    [Fact]
    public void How_a_gateway_serves_HTTP_stands_in_an_object_of_its_own()
    {
        TunnelHttpOptions http = Assert.Single(Parse("""
            { "tunnelGateways": [{ "http": {
                "answerTimeout": 1, "keepAliveTimeout": 2, "serviceKeepAliveTimeout": 3, "maxIdleConnections": 4, "maxRequestBody": 5000000000, "requestRate": 6.5,
                "clientRequestRate": 7, "requestBurst": 8, "credentials": ["file:login"], "trustedProxies": ["10.0.0.1"],
                "accessLog": { "path": "access.log", "format": "combined", "maxLength": 9000, "keptFiles": 10 } } }] }
            """).TunnelGateways).Http;
        Assert.Equal([1, 2, 3], new[] { http.AnswerTimeout, http.KeepAliveTimeout, http.ServiceKeepAliveTimeout }.Select(time => time.TotalSeconds));
        Assert.Equal((4, 5_000_000_000, 6.5, 7, 8), (http.MaxIdleConnections, http.MaxRequestBody, http.RequestRate, http.ClientRequestRate, http.RequestBurst));
        Assert.True(Assert.Single(http.Credentials).Matches("alice", "wonderland"));
        Assert.Equal("10.0.0.1", Assert.Single(http.TrustedProxies).ToString());
        Assert.Equal(new AccessLogOptions { Path = _folder.File("access.log"), Format = AccessLogFormat.Combined, MaxLength = 9000, KeptFiles = 10 }, http.AccessLog);
    }

    [Fact]
    public void Every_option_of_an_agent_can_be_given()
    {
        string pin = new('A', 64);
        TunnelAgentOptions options = Assert.Single(Parse($$"""
            { "tunnels": [{
                "name": "blog", "gateway": "wss://gate.example/tunnels?thumbprint={{pin}}&servername=g", "destination": "https://intranet.example", "identityFile": "agent.pem",
                "token": "file:token", "hostName": "blog", "sessionName": "second", "chain": ["relay://h:1"], "sendProxyProtocol": "v2", "hostHeader": "intranet", "maxRequestBody": 5000000000,
                "requestRate": 99.5, "clientRequestRate": 3, "maxPublicConnections": 20, "allowSource": ["10.0.0.0/8"], "credentials": ["file:login"], "oneClientPerChannel": true,
                "destinationThumbprint": "{{pin}}", "destinationServerName": "inner", "connectTimeout": 1, "gatewayTimeout": 2, "handshakeTimeout": 3, "silenceLimit": 4, "firstRetry": 0.25,
                "maxRetry": 6, "refusedRetry": 7, "stopTimeout": 0, "maxConnections": 9, "eventCapacity": 11 }] }
            """).Tunnels);
        Assert.Equal(("blog", "wss://gate.example:443/tunnels", "https://intranet.example:443", "blog", "second"), (options.Name, options.Gateway.ToString(), options.Destination.ToString(), options.HostName, options.SessionName));
        Assert.Equal((pin, "g", pin, "inner"), (options.Gateway.Trust.Thumbprint, options.Gateway.ServerName, options.DestinationTrust.Thumbprint, options.DestinationServerName));
        Assert.Equal((_identity.Thumbprint, new TunnelToken(Token), "relay://h:1", ProxyHeaderVersion.V2), (options.Identity.Thumbprint, options.Token, options.Chain.ToString(), options.SendProxyProtocol));
        Assert.Equal(("intranet", 5_000_000_000, 99.5, 3, 20, true), (options.Settings.HostHeader, options.Settings.MaxRequestBody, options.Settings.RequestRate, options.Settings.ClientRequestRate, options.Settings.MaxConnections, options.Settings.OneClientPerChannel));
        Assert.Equal("10.0.0.0/8", Assert.Single(options.Settings.AllowSource).ToString());
        Assert.True(Assert.Single(options.Settings.Credentials).Matches("alice", "wonderland"));
        double[] times = [.. new[] { options.ConnectTimeout, options.GatewayTimeout, options.HandshakeTimeout, options.SilenceLimit, options.FirstRetry, options.MaxRetry, options.RefusedRetry, options.StopTimeout }.Select(time => time.TotalSeconds)];
        Assert.Equal([1, 2, 3, 4, 0.25, 6, 7, 0], times);
        Assert.Equal((9, 11), (options.MaxConnections, options.EventCapacity));
    }

    [Fact]
    public void What_is_not_given_keeps_the_default_of_the_options()
    {
        ProxyConfiguration configuration = Parse("""{ "tunnelGateways": [{}], "tunnels": [{ "gateway": "tunnel://h:1", "destination": "tcp://h:22", "identityFile": "agent.pem", "remotePort": 2222 }] }""");
        TunnelAgentOptions agent = configuration.Tunnels[0];
        Assert.Equal(("TunnelGateway1", "Tunnel1", 2222), (configuration.TunnelGateways[0].Name, agent.Name, agent.RemotePort));
        Assert.Empty(OptionNames(new TunnelGatewayOptions { Name = "TunnelGateway1" }.Values, configuration.TunnelGateways[0].Values));
        var defaults = new TunnelAgentOptions { Name = "Tunnel1", Gateway = agent.Gateway, Destination = agent.Destination, Identity = _identity, RemotePort = 2222 };
        // another chain is another value, though both are direct
        Assert.Empty(OptionNames(defaults.Values, (agent with { Chain = defaults.Chain }).Values));
        Assert.Empty(agent.Chain.Places);

        static IEnumerable<string> OptionNames(IEnumerable<Engine.Serving.OptionValue> one, IEnumerable<Engine.Serving.OptionValue> other) =>
            one.Zip(other).Where(pair => !pair.First.IsSame(pair.Second)).Select(pair => pair.First.Name);
    }

    [Theory]
    [InlineData("""{ "tunnelGateways": [{ "httpPort": "80" }] }""", "$.tunnelGateways[0].httpPort", "must be a whole number")]
    [InlineData("""{ "tunnelGateways": [{ "httpPort": 70000 }] }""", "$.tunnelGateways[0]", "HttpPort is '70000'")]
    [InlineData("""{ "tunnelGateways": [{ "tcpPorts": ["x"] }] }""", "$.tunnelGateways[0].tcpPorts[0]", "'x' is not")]
    [InlineData("""{ "tunnelGateways": [{ "udpPorts": [{}] }] }""", "$.tunnelGateways[0].udpPorts[0]", "must be a port or a range of ports in quotes, not an object.")]
    [InlineData("""{ "tunnelGateways": [{ "authorizedKeys": ["laptop"] }] }""", "$.tunnelGateways[0].authorizedKeys[0]", "'laptop' is not the thumbprint of a key")]
    [InlineData("""{ "tunnelGateways": [{ "authorizedKeysFile": "none" }] }""", "$.tunnelGateways[0]", "none' cannot be read")]
    [InlineData("""{ "tunnelGateways": [{ "stateFile": "keys" }] }""", "$.tunnelGateways[0]", "keys' cannot be read")]
    [InlineData("""{ "tunnelGateways": [{ "stateFile": "broken" }] }""", "$.tunnelGateways[0]", "broken' cannot be read")]
    [InlineData("""{ "tunnelGateways": [{ "stateFile": "quoted" }] }""", "$.tunnelGateways[0]", "quoted' cannot be read")]
    [InlineData("""{ "tunnelGateways": [{ "stateFile": "" }] }""", "$.tunnelGateways[0].stateFile", "is empty; it must be a path.")]
    [InlineData("""{ "tunnelGateways": [{ "token": "env:PX_NOT_SET" }] }""", "$.tunnelGateways[0].token", "The environment variable 'PX_NOT_SET' is not set.")]
    [InlineData("""{ "tunnelGateways": [{ "silenceLimit": 7200 }] }""", "$.tunnelGateways[0]", "SilenceLimit is '02:00:00'")]
    [InlineData("""{ "tunnelGateways": [{ "localAddress": "0.0.0.0" }] }""", "$.tunnelGateways[0]", "give AuthorizedKeys or a Token, ")]
    [InlineData("""{ "tunnelGateways": [{ "rules": [] }] }""", "$.tunnelGateways[0].rules", "is not known here; name,")]
    [InlineData("""{ "tunnelGateways": [{ "http": { "answerTimeout": 0 } }] }""", "$.tunnelGateways[0].http", "AnswerTimeout is '00:00:00'")]
    [InlineData("""{ "tunnelGateways": [{ "http": { "trustedproxies": [] } }] }""", "$.tunnelGateways[0].http.trustedproxies", "write 'trustedProxies'")]
    [InlineData("""{ "tunnelGateways": [{ "http": { "accessLog": {} } }] }""", "$.tunnelGateways[0].http.accessLog", "has no \"path\".")]
    [InlineData("""{ "tunnelGateways": [{ "http": { "accessLog": { "path": "none/x" } } }] }""", "$.tunnelGateways[0].http.accessLog", "does not exist")]
    [InlineData("""{ "tunnelGateways": [{ "http": { "accessLog": { "path": "x", "format": "xml" } } }] }""", "$.tunnelGateways[0].http.accessLog.format", "'xml' is not a format of an access log")]
    [InlineData("""{ "tunnels": [{ }] }""", "$.tunnels[0]", "has no \"gateway\"")]
    [InlineData("""{ "tunnels": [{ "gateway": "http://h" }] }""", "$.tunnels[0].gateway", "'http://h' is not the address of a gateway")]
    [InlineData("""{ "tunnels": [{ "gateway": "tunnel://h:1" }] }""", "$.tunnels[0]", "has no \"destination\"")]
    [InlineData("""{ "tunnels": [{ "gateway": "tunnel://h:1", "destination": "ftp://h" }] }""", "$.tunnels[0].destination", "'ftp://h' is not the destination of a tunnel")]
    [InlineData("""{ "tunnels": [{ "gateway": "tunnel://h:1", "destination": "http://h" }] }""", "$.tunnels[0]", "has no \"identityFile\": 'proxyshell new-identity FILE' makes one.")]
    [InlineData("""{ "tunnels": [{ "gateway": "tunnel://h:1", "destination": "http://h", "identityFile": "none" }] }""", "$.tunnels[0].identityFile", "cannot be read")]
    [InlineData("""{ "tunnels": [{ "gateway": "tunnel://h:1", "destination": "http://h", "identityFile": "token" }] }""", "$.tunnels[0].identityFile", "token'")]
    [InlineData("""{ "tunnels": [{ AGENT, "remotePort": 80 }] }""", "$.tunnels[0]", "RemotePort is '80'; it must be left out, because http://h:80 is published by name.")]
    [InlineData("""{ "tunnels": [{ AGENT, "requestRate": "fast" }] }""", "$.tunnels[0].requestRate", "must be a number, not a text in quotes.")]
    [InlineData("""{ "tunnels": [{ AGENT, "maxRetry": 0.1 }] }""", "$.tunnels[0]", "MaxRetry is '00:00:00.1000000'")]
    [InlineData("""{ "tunnels": [{ AGENT, "credentials": ["alice:wonderland"] }] }""", "$.tunnels[0].credentials[0]", "must refer to user:password")]
    [InlineData("""{ "tunnels": [{ AGENT, "destinationThumbprint": "12" }] }""", "$.tunnels[0].destinationThumbprint", "is not a SHA-256")]
    [InlineData("""{ "tunnels": [{ AGENT, "sendProxyProtocol": "v3" }] }""", "$.tunnels[0].sendProxyProtocol", "'v3' is not a version")]
    [InlineData("""{ "tunnels": [{ AGENT, "chain": ["h:2"] }] }""", "$.tunnels[0].chain[0]", "'h:2' is not a hop URI")]
    [InlineData("""{ "tunnels": [{ AGENT, "hostname": "blog" }] }""", "$.tunnels[0].hostname", "is not known here; write 'hostName'.")]
    [InlineData("""{ "tunnelGateways": [{ "name": "one" }], "tunnels": [{ AGENT, "name": "One" }] }""", "$", "the name 'One' is given to two services.")]
    public void A_fault_is_told_with_its_place(string json, string path, string fault)
    {
        var error = Assert.Throws<ConfigurationException>(() => Parse(json));
        Assert.Equal(path, error.Path);
        Assert.Contains(fault, error.Fault, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData($$"""{ "tunnelGateways": [{ "token": "{{Token}}" }] }""")]
    [InlineData($$"""{ "tunnels": [{ AGENT, "token": "{{Token}}" }] }""")]
    public void A_token_in_clear_text_is_refused_and_not_repeated(string json)
    {
        var error = Assert.Throws<ConfigurationException>(() => Parse(json));
        Assert.Contains("must refer to the token", error.Fault, StringComparison.Ordinal);
        Assert.DoesNotContain(Token, error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_file_that_others_may_read_is_refused()
    {
        if (OperatingSystem.IsWindows()) return;
        var error = Assert.Throws<ConfigurationException>(() => Parse("""{ "tunnels": [{ "gateway": "tunnel://h:1", "destination": "http://h", "identityFile": "wide.pem" }] }"""));
        Assert.Equal("$.tunnels[0].identityFile", error.Path);
        Assert.Contains("is open to others than its owner: chmod 600 it", error.Fault, StringComparison.Ordinal);
    }

    private ProxyConfiguration Parse(string json) => ProxyConfiguration.Parse(
        json.Replace("AGENT", "\"gateway\": \"tunnel://h:1\", \"destination\": \"http://h\", \"identityFile\": \"agent.pem\"", StringComparison.Ordinal), directory: _folder.Path);
}

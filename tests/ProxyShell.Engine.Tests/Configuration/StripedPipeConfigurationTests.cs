using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Configuration;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Striping;

namespace ProxyShell.Engine.Tests.Configuration;

/// <summary>Striped pipes in files, and in the next file while they run.</summary>
public sealed class StripedPipeConfigurationTests : IDisposable
{
    private readonly ScratchFolder _folder = new();
    private readonly ProxyKey _key = ProxyKey.Create();

    public StripedPipeConfigurationTests() => _folder.Write("pipe.key", _key.Reveal());

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_option_of_a_near_end_can_be_given()
    {
        string pin = new('A', 64);
        var near = Assert.IsType<StripedPipeEntryOptions>(Assert.Single(Parse($$"""
            { "stripedPipes": [{
                "name": "s", "localAddress": "::1", "localPort": 2200, "peer": "tls://far.example:7000", "peerThumbprint": "{{pin}}", "peerServerName": "inner", "stripeCount": 3,
                "maxStripeCount": 9, "chains": [["relay://a:1", "relay://b:2"], { "chain": ["relay://c:3"], "payloadKey": "file:pipe.key" }, []], "key": "file:pipe.key",
                "framing": "Stripe", "udp": true, "window": 65536, "reconnectTimeout": 5, "stallTimeout": 1.5, "maxConnections": 7, "udpIdleTimeout": "infinite" }] }
            """).StripedPipes));
        Assert.Equal(("s", "::1", 2200, TransportKind.Tls, "far.example:7000"), (near.Name, near.LocalAddress, near.LocalPort, near.Peer.Kind, near.Peer.ToString()));
        Assert.Equal((pin, "inner", 3, 9, _key), (near.PeerTrust.Thumbprint, near.PeerServerName, near.StripeCount, near.MaxStripeCount, near.Key));
        Assert.Equal(["relay://a:1 > relay://b:2", "relay://c:3", "direct"], near.Chains.Select(chain => chain.ToString()));
        Assert.Equal([null, _key, null], near.Chains.Select(chain => chain.PayloadKey));
        Assert.Equal((StripedPipeFraming.Stripe, true, 65_536, 5, 1.5), (near.Framing, near.Udp, near.Window, near.ReconnectTimeout.TotalSeconds, near.StallTimeout.TotalSeconds));
        Assert.Equal((7, Timeout.InfiniteTimeSpan), (near.MaxConnections, near.UdpIdleTimeout));
    }

    [Fact]
    public void Every_option_of_a_far_end_can_be_given()
    {
        var far = Assert.IsType<StripedPipeExitOptions>(Assert.Single(Parse("""
            { "stripedPipes": [{
                "name": "s", "accept": true, "localAddress": "*", "localPort": 7000, "destination": "db.example:5432", "key": "file:pipe.key", "chain": ["relay://a:1"], "window": 1000000,
                "payloadKey": "file:pipe.key", "framing": "stripe", "udp": false, "reconnectTimeout": "00:02:00", "stallTimeout": 3, "rules": [{ "block": true, "destination": ["10.0.0.0/8"] }] }] }
            """).StripedPipes));
        Assert.Equal(("s", "*", 7000, "db.example:5432", _key), (far.Name, far.LocalAddress, far.LocalPort, far.Destination.ToString(), far.Key));
        Assert.Equal(("relay://a:1", _key, 1_000_000, 120, 3), (far.Chain.ToString(), far.Chain.PayloadKey, far.Window, far.ReconnectTimeout.TotalSeconds, far.StallTimeout.TotalSeconds));
        Assert.Single(far.Rules);
    }

    [Fact]
    public void What_is_not_given_keeps_the_default_of_the_options()
    {
        ProxyConfiguration configuration = Parse("""{ "stripedPipes": [{ "peer": "h:1" }, { "accept": true, "destination": "h:2" }, { "peer": "h:3", "framing": "datagram", "chain": ["relay://a:1"] }] }""");
        Assert.Equal(["StripedPipe1", "StripedPipe2", "StripedPipe3"], configuration.StripedPipes.Select(pipe => pipe.Name));
        Assert.Empty(Differences(new StripedPipeEntryOptions { Name = "StripedPipe1", Peer = TransportAddress.Parse("h:1") }, configuration.StripedPipes[0]));
        var far = new StripedPipeExitOptions { Name = "StripedPipe2", Destination = new HostEndpoint("h", 2) };
        // another chain is another value, though both are direct
        Assert.Equal(["Chain"], Differences(far, configuration.StripedPipes[1]));
        Assert.Equal((StripedPipeFraming.Datagram, "relay://a:1"), (configuration.StripedPipes[2].Framing, Assert.Single(((StripedPipeEntryOptions)configuration.StripedPipes[2]).Chains).ToString()));
        Assert.Equal([typeof(StripedPipeEntry), typeof(StripedPipeExit), typeof(StripedPipeEntry)], configuration.CreateServices().Select(service => service.GetType()));

        static IEnumerable<string> Differences(ServiceOptions one, ServiceOptions other) => one.Values.Zip(other.Values).Where(pair => !pair.First.IsSame(pair.Second)).Select(pair => pair.First.Name);
    }

    [Theory]
    [InlineData("{}", "$.stripedPipes[0]", "is one end of a striped pipe and has either \"peer\"")]
    [InlineData("""{ "accept": true, "peer": "h:1" }""", "$.stripedPipes[0]", "is one end of a striped pipe and has either \"peer\"")]
    [InlineData("""{ "peer": 1 }""", "$.stripedPipes[0].peer", "must be a text in quotes")]
    [InlineData("""{ "peer": "udp://h:1" }""", "$.stripedPipes[0].peer", "'udp://h:1' is not an address to connect to")]
    [InlineData("""{ "peer": "h:1", "destination": "h:2" }""", "$.stripedPipes[0].destination", "is not known here; ")]
    [InlineData("""{ "peer": "h:1", "rules": [] }""", "$.stripedPipes[0].rules", "is not known here; ")]
    [InlineData("""{ "peer": "h:1", "stripeCount": 65 }""", "$.stripedPipes[0]", "StripeCount is '65'")]
    [InlineData("""{ "peer": "h:1", "key": "plain" }""", "$.stripedPipes[0].key", "must refer to the key")]
    [InlineData("""{ "peer": "h:1", "peerThumbprint": "x" }""", "$.stripedPipes[0].peerThumbprint", "'x' is not a SHA-256")]
    [InlineData("""{ "peer": "h:1", "framing": "tcp" }""", "$.stripedPipes[0].framing", "'tcp' is not a framing; stripe and datagram are.")]
    [InlineData("""{ "peer": "h:1", "framing": "datagram", "key": "file:pipe.key" }""", "$.stripedPipes[0]", "Key is given, but Framing Datagram has no handshake")]
    [InlineData("""{ "peer": "h:1", "chain": ["relay://a:1"], "chains": [["relay://b:1"]] }""", "$.stripedPipes[0].chains", "stands beside \"chain\"")]
    [InlineData("""{ "peer": "h:1", "chains": ["relay://a:1"] }""", "$.stripedPipes[0].chains[0]", "must be a chain: an array of hops, or an object with \"chain\", not a text in quotes.")]
    [InlineData("""{ "peer": "h:1", "chains": [["x"]] }""", "$.stripedPipes[0].chains[0][0]", "'x'")]
    [InlineData("""{ "peer": "h:1", "chains": [{ "chain": ["relay://a:1"], "x": 1 }] }""", "$.stripedPipes[0].chains[0].x", "is not known here; chain, payloadKey are.")]
    [InlineData("""{ "accept": true }""", "$.stripedPipes[0]", "has no \"destination\"")]
    [InlineData("""{ "accept": true, "destination": "h:0" }""", "$.stripedPipes[0]", "Destination is 'h:0'")]
    [InlineData("""{ "accept": true, "destination": "h:1", "stripeCount": 4 }""", "$.stripedPipes[0].stripeCount", "is not known here; ")]
    [InlineData("""{ "accept": true, "destination": "h:1", "localAddress": "0.0.0.0" }""", "$.stripedPipes[0]", "give a Key, ")]
    public void A_fault_has_its_place(string pipe, string path, string fault)
    {
        var error = Assert.Throws<ConfigurationException>(() => Parse($$"""{ "stripedPipes": [{{pipe}}] }"""));
        Assert.Equal(path, error.Path);
        Assert.Contains(fault, error.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pipes_change_while_they_run_and_what_they_cannot_change_restarts_them()
    {
        await using Origin origin = Origin.Echo();
        await using Origin other = Origin.AnswerAfterEnd("the other"u8.ToArray());
        await using var services = new ConfiguredServices();
        string settled = Both(origin, "", Ports.Take(), Ports.Take());
        await services.StartAsync(Parse(settled)).Within();
        Assert.Equal([typeof(StripedPipeEntry), typeof(StripedPipeExit)], services.Running.Select(service => service.GetType()));
        (ListenerService near, ListenerService far) = (services.Running[0], services.Running[1]);
        using Client client = await Client.ConnectAsync(near.LocalPort);
        await client.SendAsync("a");
        await client.ReadAsync(1);

        Assert.Equal("nothing has changed", (await services.ApplyAsync(Parse(settled)).Within()).ToString());
        ConfigurationChanges changes = await services.ApplyAsync(Parse(Both(origin, """ "maxConnections": 9,""", far.LocalPort, near.LocalPort))).Within();
        Assert.Equal(["near", "far"], changes.Changed);
        Assert.Same(near, services.Running[0]);
        await client.SendAsync("b");
        Assert.Equal("b"u8.ToArray(), await client.ReadAsync(1));

        changes = await services.ApplyAsync(Parse(Both(other, """ "maxConnections": 9,""", far.LocalPort, near.LocalPort))).Within();
        Assert.Equal("far", Assert.Single(changes.Restarted).Name);
        Assert.Empty(changes.Failures);
        using Client next = await Client.ConnectAsync(near.LocalPort);
        next.EndSending();
        Assert.Equal("the other"u8.ToArray(), await next.ReadToEndAsync());
    }

    [Fact]
    public async Task Chains_that_are_the_same_in_the_next_file_keep_their_health()
    {
        const string First = """[["relay://127.0.0.1:1", "relay://127.0.0.1:2"]]""", Second = """[["relay://127.0.0.1:3", "relay://127.0.0.1:4"]]""";
        await using var services = new ConfiguredServices();
        await services.StartAsync(Parse(Near($"[{First}, {Second}]"))).Within();
        var near = (StripedPipeEntry)services.Running[0];
        var before = near.Options.Chains.ToArray();
        Assert.Equal("nothing has changed", (await services.ApplyAsync(Parse(Near($"[{First}, {Second}]"))).Within()).ToString());
        ConfigurationChanges changes = await services.ApplyAsync(Parse(Near($"[{Second}, {First}, []]"))).Within();
        Assert.Equal(["near"], changes.Changed);
        Assert.Equal([before[1], before[0]], near.Options.Chains.Take(2));
        Assert.Equal(3, near.GetChains().Count);

        static string Near(string chains) => $$"""{ "stripedPipes": [{ "name": "near", "peer": "127.0.0.1:9", "framing": "datagram", "chains": {{chains}} }] }""";
    }

    private static string Both(Origin origin, string more, int farPort = 0, int nearPort = 0) => $$"""
        { "stripedPipes": [
            { "name": "near", {{more}} "localPort": {{nearPort}}, "framing": "datagram", "peer": "127.0.0.1:{{(farPort == 0 ? 9 : farPort)}}" },
            { "name": "far", {{more}} "localPort": {{farPort}}, "framing": "datagram", "accept": true, "destination": "{{origin.Endpoint}}" }] }
        """;

    private ProxyConfiguration Parse(string json) => ProxyConfiguration.Parse(json, "px.json", _folder.Path);
}

using ProxyShell.Engine.Configuration;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Configuration;

public class ConfigurationFaultTests
{
    private const string Key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    [Theory]
    [InlineData("", "line 1, column 1", "not valid JSON")]
    [InlineData("{ \"proxyServers\": [\n{ \"localPort\": } ] }", "line 2, column 16", "not valid JSON")]
    [InlineData("[]", "$", "must be an object, not an array.")]
    [InlineData("{}", "$", "holds none of proxyServers, accessListeners, tunnelGateways, stripedPipes and tunnels")]
    [InlineData("""{ "proxyservers": [] }""", "$.proxyservers", "is not known here; write 'proxyServers'.")]
    [InlineData("""{ "proxyServers": {} }""", "$.proxyServers", "must be an array in [brackets], not an object.")]
    [InlineData("""{ "proxyServers": [1] }""", "$.proxyServers[0]", "must be an object, not the number 1.")]
    [InlineData("""{ "proxyServers": [{}, { "port": 1 }] }""", "$.proxyServers[1].port", "is not known here; name, localAddress, localPort")]
    [InlineData("""{ "proxyServers": [{ "name": "a", "name": "b" }] }""", "$.proxyServers[0].name", "is given twice.")]
    [InlineData("""{ "proxyServers": [{ "name": "a" }, { "name": "A" }] }""", "$", "the name 'A' is given to two services.")]
    [InlineData("""{ "proxyServers": [{ "localPort": "80" }] }""", "$.proxyServers[0].localPort", "must be a whole number, not a text in quotes.")]
    [InlineData("""{ "proxyServers": [{ "localPort": 80.5 }] }""", "$.proxyServers[0].localPort", "must be a whole number, not the number 80.5.")]
    [InlineData("""{ "proxyServers": [{ "localPort": 5000000000 }] }""", "$.proxyServers[0].localPort", "must be a whole number, not the number 5000000000.")]
    [InlineData("""{ "proxyServers": [{ "bandwidthLimit": 1e99 }] }""", "$.proxyServers[0].bandwidthLimit", "must be a whole number, not the number 1e99.")]
    [InlineData("""{ "proxyServers": [{ "clientBandwidthLimit": 10 }] }""", "$.proxyServers[0]", "ClientBandwidthLimit is '10'")]
    [InlineData("""{ "proxyServers": [{ "localPort": 65536 }] }""", "$.proxyServers[0]", "LocalPort is '65536'; it must be 0 to 65535.")]
    [InlineData("""{ "proxyServers": [{ "localAddress": "here" }] }""", "$.proxyServers[0]", "LocalAddress is 'here'")]
    [InlineData("""{ "proxyServers": [{ "localAddress": "0.0.0.0" }] }""", "$.proxyServers[0]", "nothing authenticates them")]
    [InlineData("""{ "proxyServers": [{ "allowAnonymous": "yes" }] }""", "$.proxyServers[0].allowAnonymous", "must be true or false, not a text in quotes.")]
    [InlineData("""{ "proxyServers": [{ "idleTimeout": "60" }] }""", "$.proxyServers[0].idleTimeout", "must be a time: seconds as a number, or \"hh:mm:ss\".")]
    [InlineData("""{ "proxyServers": [{ "idleTimeout": 1e300 }] }""", "$.proxyServers[0].idleTimeout", "must be a time")]
    [InlineData("""{ "proxyServers": [{ "connectTimeout": 0 }] }""", "$.proxyServers[0]", "ConnectTimeout is '00:00:00'")]
    [InlineData("""{ "proxyServers": [{ "denyDestination": ["a:b:c"] }] }""", "$.proxyServers[0].denyDestination[0]", "is not a destination pattern")]
    [InlineData("""{ "proxyServers": [{ "certificate": "/no/such.pem" }] }""", "$.proxyServers[0].certificate", "'/no/such.pem' does not exist.")]
    [InlineData("""{ "proxyServers": [{ "certificate": { "password": "env:X" } }] }""", "$.proxyServers[0].certificate", "has no \"source\"")]
    [InlineData("""{ "proxyServers": [{ "certificates": ["/no/such.pem"] }] }""", "$.proxyServers[0].certificates[0]", "'/no/such.pem' does not exist.")]
    [InlineData("""{ "proxyServers": [{ "clientCertificateThumbprints": ["12"] }] }""", "$.proxyServers[0].clientCertificateThumbprints[0]", "is not a SHA-256")]
    [InlineData("""{ "proxyServers": [{ "clientCertificateAuthority": ["/no/such.pem"] }] }""", "$.proxyServers[0].clientCertificateAuthority[0]", "The certificate '/no/such.pem' cannot be loaded")]
    [InlineData("""{ "proxyServers": [{ "keys": ["env:PX_NOT_SET"] }] }""", "$.proxyServers[0].keys[0]", "The environment variable 'PX_NOT_SET' is not set.")]
    [InlineData("""{ "proxyServers": [{ "keys": ["file:/no/such.key"] }] }""", "$.proxyServers[0].keys[0]", "The file '/no/such.key' does not exist.")]
    [InlineData("""{ "proxyServers": [{ "keys": ["env:"] }] }""", "$.proxyServers[0].keys[0]", "is not complete")]
    [InlineData("""{ "proxyServers": [{ "protocols": ["socks5", "ftp"] }] }""", "$.proxyServers[0].protocols[1]", "'ftp' is not a protocol; relay, socks5 and http are.")]
    [InlineData("""{ "proxyServers": [{ "protocols": [] }] }""", "$.proxyServers[0]", "Protocols is 'None'")]
    [InlineData("""{ "proxyServers": [{ "protocols": "relay" }] }""", "$.proxyServers[0].protocols", "must be an array in [brackets], not a text in quotes.")]
    [InlineData("""{ "accessListeners": [{ "protocols": ["relay"] }] }""", "$.accessListeners[0]", "it must be one or more of Socks5, Http.")]
    [InlineData("""{ "accessListeners": [{ "destination": "h:1", "protocols": ["http"] }] }""", "$.accessListeners[0]", "it must be left out when there is a Destination")]
    [InlineData("""{ "proxyServers": [{ "credentials": ["alice:wonderland"] }] }""", "$.proxyServers[0].credentials[0]", "must refer to user:password")]
    [InlineData("""{ "proxyServers": [{ "maxConnectionsPerClient": -1 }] }""", "$.proxyServers[0]", "MaxConnectionsPerClient is '-1'; it must be 0 (no limit) or more.")]
    [InlineData("""{ "proxyServers": [{ "allowSource": ["10.0.0.0/8", "office"] }] }""", "$.proxyServers[0].allowSource[1]", "'office' is neither an IP address nor a network")]
    [InlineData("""{ "accessListeners": [{ "destination": "h:1", "sendProxyProtocol": "v3" }] }""", "$.accessListeners[0].sendProxyProtocol", "'v3' is not a version of the PROXY protocol; v1 and v2 are.")]
    [InlineData("""{ "accessListeners": [{ "destination": "host" }] }""", "$.accessListeners[0].destination", "'host' is not an endpoint")]
    [InlineData("""{ "accessListeners": [{ "destination": "h:1", "chain": ["h:2"] }] }""", "$.accessListeners[0].chain[0]", "'h:2' is not a hop URI")]
    [InlineData("""{ "accessListeners": [{ "destination": "h:1", "chain": [{}] }] }""", "$.accessListeners[0].chain[0]", "has no \"uri\".")]
    [InlineData("""{ "accessListeners": [{ "destination": "h:1", "chain": [{ "uri": "relay://h:2", "serverName": "x" }] }] }""", "$.accessListeners[0].chain[0].serverName", "is for TLS hops")]
    [InlineData("""{ "accessListeners": [{ "destination": "h:1", "chain": [{ "uri": "relays://h:2", "thumbprint": "12" }] }] }""", "$.accessListeners[0].chain[0].thumbprint", "is not a SHA-256")]
    [InlineData("""{ "proxyServers": [{ "payloadKeys": ["env:PX_NOT_SET"] }] }""", "$.proxyServers[0].payloadKeys[0]", "The environment variable 'PX_NOT_SET' is not set.")]
    [InlineData("""{ "proxyServers": [{ "payloadKey": "file:/no/such.key" }] }""", "$.proxyServers[0].payloadKey", "The file '/no/such.key' does not exist.")]
    [InlineData("""{ "accessListeners": [{ "destination": "h:1", "chain": ["relay://h:2"], "payloadKey": ["env:X"] }] }""", "$.accessListeners[0].payloadKey", "must be a text in quotes, not an array.")]
    [InlineData("""{ "proxyServers": [{ "name": "\ud800" }] }""", "", "not valid JSON: it holds characters that are not Unicode.")]
    public void A_fault_is_told_with_its_place(string json, string path, string fault)
    {
        var error = Assert.Throws<ConfigurationException>(() => ProxyConfiguration.Parse(json, "px.json"));
        Assert.Equal(path, error.Path);
        Assert.Contains(fault, error.Fault, StringComparison.Ordinal);
        Assert.StartsWith(path.Length > 0 ? $"px.json: {path}: " : "px.json: ", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData($$"""{ "proxyServers": [{ "keys": ["{{Key}}"] }] }""")]
    [InlineData($$"""{ "proxyServers": [{ "keys": "{{Key}}" }] }""")]
    [InlineData($$"""{ "proxyServers": [{ "certificate": { "source": "x.pfx", "password": "{{Key}}" } }] }""")]
    [InlineData($$"""{ "accessListeners": [{ "destination": "h:1", "chain": ["relay://{{Key}}@h:2"] }] }""")]
    [InlineData($$"""{ "accessListeners": [{ "destination": "h:1", "chain": ["relay+unix:{{Key}}@/p.sock"] }] }""")]
    [InlineData($$"""{ "accessListeners": [{ "destination": "h:1", "chain": [{ "uri": "relay://h:2", "key": "{{Key}}" }] }] }""")]
    [InlineData($$"""{ "accessListeners": [{ "destination": "h:1", "chain": ["relay://h:2"], "payloadKey": "{{Key}}" }] }""")]
    [InlineData($$"""{ "proxyServers": [{ "payloadKeys": ["{{Key}}"] }] }""")]
    public void A_secret_in_clear_text_is_refused_and_not_repeated(string json)
    {
        var error = Assert.Throws<ConfigurationException>(() => ProxyConfiguration.Parse(json));
        Assert.DoesNotContain(Key, error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_reference_points_to_is_not_repeated_when_it_is_no_key()
    {
        const string password = "correct horse battery staple";
        Environment.SetEnvironmentVariable("PX_TEST_PASSWORD", password);
        var error = Assert.Throws<ConfigurationException>(() => ProxyConfiguration.Parse("""{ "proxyServers": [{ "keys": ["env:PX_TEST_PASSWORD"] }] }"""));
        Assert.Contains("'env:PX_TEST_PASSWORD'", error.Fault, StringComparison.Ordinal);
        Assert.DoesNotContain(password, error.ToString(), StringComparison.Ordinal);
        Environment.SetEnvironmentVariable("PX_TEST_PASSWORD", null);
    }
}

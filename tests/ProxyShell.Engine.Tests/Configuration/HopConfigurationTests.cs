using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Chains.Pool;
using ProxyShell.Engine.Configuration;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Configuration;

/// <summary>Hops of every kind in a file, each with its kind of secret.</summary>
public sealed class HopConfigurationTests : IDisposable
{
    private const string Password = "wonder:land/1@2";

    private readonly ScratchFolder _folder = new();

    public HopConfigurationTests()
    {
        _folder.Write("login", $"alice:{Password}\n");
        _folder.Write("password", Password);
        _folder.Write("gate.key", ProxyKey.Create().Reveal());
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("\"socks5://file:login@proxy.example\"", "socks5://proxy.example:1080")]
    [InlineData("\"http://file:login@proxy.example:3128\"", "http://proxy.example:3128")]
    [InlineData("\"https://file:login@proxy.example\"", "https://proxy.example:443")]
    [InlineData("""{ "uri": "socks5://proxy.example", "credential": "file:login" }""", "socks5://proxy.example:1080")]
    [InlineData("""{ "uri": "http://[::1]:8080", "credential": { "user": "alice", "password": "file:password" } }""", "http://[::1]:8080")]
    public void A_proxy_with_users_has_its_credential_by_reference(string hop, string uri)
    {
        ProxyHop read = Read(hop);
        Assert.Equal(uri, read.Uri);
        Assert.True(read.Credential?.Matches("alice", Password));
    }

    [Theory]
    [InlineData("socks5://alice@proxy.example:1080")]
    [InlineData("ssh://alice@bastion.example:22")]
    public void A_user_name_alone_is_no_secret(string uri) => Assert.Equal("alice", Read($"\"{uri}\"").Credential?.UserName);

    [Theory]
    [InlineData("relay+ws://file:gate.key@front.example/proxy", "relay+ws://front.example:80/proxy", true)]
    [InlineData("relay+wss://front.example/a@b", "relay+wss://front.example:443/a@b", false)]
    [InlineData("relay+unix:/run/a@b.sock", "relay+unix:/run/a@b.sock", false)]
    public void A_path_may_hold_an_at_sign(string uri, string shown, bool hasKey)
    {
        ProxyHop hop = Read($"\"{uri}\"");
        Assert.Equal((shown, hasKey), (hop.Uri, hop.Key is not null));
    }

    [Fact]
    public void A_websocket_over_TLS_may_pin_and_name_its_server()
    {
        ProxyHop hop = Read($$"""{ "uri": "relay+wss://front.example", "thumbprint": "{{new string('A', 64)}}", "serverName": "inner.example" }""");
        Assert.Equal((new string('A', 64), "inner.example"), (hop.Trust.Thumbprint, hop.ServerName));
    }

    [Theory]
    [InlineData("\"relay+mux://file:gate.key@h:1?sessions=2&idle=9\"", "relay+mux://h:1", 2, 1000, 9, 30)]
    [InlineData("""{ "uri": "relays+mux://h:1?sessions=2&channels=3", "sessions": { "maxChannels": 4, "idleTimeout": "00:01:00", "keepAlive": 3.5 } }""", "relays+mux://h:1", 2, 4, 60, 3.5)]
    [InlineData("""{ "uri": "relay+mux+unix:/p", "sessions": { } }""", "relay+mux+unix:/p", 8, 1000, 300, 30)]
    [InlineData("""{ "uri": "relay+mux+wss://h", "sessions": { "maxSessions": 64, "keepAlive": "infinite" } }""", "relay+mux+wss://h:443", 64, 1000, 300, -0.001)]
    public void A_hop_says_how_its_sessions_are_kept(string hop, string uri, int maxSessions, int maxChannels, double idle, double keepAlive)
    {
        ProxyHop read = Read(hop);
        Assert.Equal(uri, read.Uri);
        Assert.Equal(
            new SessionPooling { MaxSessions = maxSessions, MaxChannels = maxChannels, IdleTimeout = TimeSpan.FromSeconds(idle), KeepAlive = TimeSpan.FromSeconds(keepAlive) }, read.Sessions);
    }

    [Theory]
    [InlineData("\"socks5://alice:wonderland@h\"", "", "a password in clear text; refer to it instead: socks5://env:NAME@h:1080, or file:PATH in place of env:NAME, where NAME holds user:password.")]
    [InlineData("\"ssh://alice:wonderland@h\"", "", "has a password, which ssh would not take; write ssh://user@h:22.")]
    [InlineData("\"ssh://file:login@h\"", "", "takes a user name only, ssh://user@h:22")]
    [InlineData("\"socks5://file:password0@h\"", "", "does not exist.")]
    [InlineData("\"socks5://file:nobody@h\"", "", "is not a user name with its password: user:password.")]
    [InlineData("""{ "uri": "relay://h:1", "credential": "file:login" }""", ".credential", "is for SOCKS5 and HTTP hops; this hop is relay://h:1.")]
    [InlineData("""{ "uri": "ssh://h", "credential": "file:login" }""", ".credential", "is for SOCKS5 and HTTP hops; this hop is ssh://h:22.")]
    [InlineData("""{ "uri": "socks5://h", "key": "file:gate.key" }""", ".key", "is for relay hops; this hop is socks5://h:1080.")]
    [InlineData("""{ "uri": "socks5://h", "serverName": "x" }""", ".serverName", "is for TLS hops (relays://, relay+wss://, https://)")]
    [InlineData("""{ "uri": "socks5://h", "credential": "alice:wonderland" }""", ".credential", "must refer to user:password as \"env:NAME\" or \"file:PATH\"")]
    [InlineData("""{ "uri": "socks5://h", "credential": 5 }""", ".credential", "or be an object with a \"user\", not the number 5.")]
    [InlineData("""{ "uri": "socks5://h", "credential": { "password": "file:password" } }""", ".credential", "has no \"user\".")]
    [InlineData("""{ "uri": "socks5://h", "credential": { "user": "alice" } }""", ".credential", "has no \"password\"")]
    [InlineData("""{ "uri": "socks5://h", "credential": { "user": "alice", "password": "wonderland" } }""", ".credential.password", "must refer to the password")]
    [InlineData("""{ "uri": "socks5://h", "credential": { "user": "", "password": "file:password" } }""", ".credential", "The user name of the credential is empty.")]
    [InlineData("""{ "uri": "socks5://h", "credential": { "user": "alice", "Password": "x" } }""", ".credential", "has no \"password\"")]
    [InlineData("""{ "uri": "relay://h:1", "sessions": { } }""", ".sessions", "is for multiplexed hops (relay+mux://, relays+mux://); this hop is relay://h:1.")]
    [InlineData("""{ "uri": "relay+mux://h:1", "sessions": 2 }""", ".sessions", "must be an object, not the number 2.")]
    [InlineData("""{ "uri": "relay+mux://h:1", "sessions": { "maxSessions": 65 } }""", ".sessions", "MaxSessions of sessions is '65'; it must be 1 to 64.")]
    [InlineData("""{ "uri": "relay+mux://h:1", "sessions": { "maxChannels": 0 } }""", ".sessions", "MaxChannels of sessions is '0'; it must be 1 to 4096.")]
    [InlineData("""{ "uri": "relay+mux://h:1", "sessions": { "keepAlive": 0.5 } }""", ".sessions", "KeepAlive of sessions is '00:00:00.5000000'; it must be 1 second to 1 hour.")]
    [InlineData("""{ "uri": "relay+mux://h:1", "sessions": { "idleTimeout": 0 } }""", ".sessions", "IdleTimeout of sessions is '00:00:00'; it must be more than 0 and at most 24 days.")]
    [InlineData("""{ "uri": "relay+mux://h:1", "sessions": { "maxsessions": 2 } }""", ".sessions.maxsessions", "is not known here; write 'maxSessions'.")]
    [InlineData("\"relay+mux://h:1?sessions=0\"", "", "MaxSessions of sessions is '0'; it must be 1 to 64.")]
    public void A_fault_in_a_hop_is_told_with_its_place_and_without_secrets(string hop, string place, string fault)
    {
        _folder.Write("nobody", "wonderland");
        var error = Assert.Throws<ConfigurationException>(() => Read(hop));
        Assert.Equal("$.accessListeners[0].chain[0]" + place, error.Path);
        Assert.Contains(fault, error.Fault, StringComparison.Ordinal);
        Assert.DoesNotContain("wonderland", error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Password, error.ToString(), StringComparison.Ordinal);
    }

    private ProxyHop Read(string hop)
    {
        string json = $$"""{ "accessListeners": [{ "destination": "h:1", "chain": [{{hop}}] }] }""";
        return Assert.Single(Assert.Single(ProxyConfiguration.Parse(json, "px.json", _folder.Path).AccessListeners).Chain.Hops);
    }
}

using ProxyShell.Engine.Access;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Inbound;

/// <summary>Which protocols a port serves: named ones, or those that its secrets guard.</summary>
public class ServedProtocolsTests
{
    private static readonly ProxyKey[] Keys = [ProxyKey.Create()];
    private static readonly ProxyCredential[] Users = [new("ann", "secret")];

    public static TheoryData<bool, bool, ProxyProtocols?, ProxyProtocols, bool> Choices => new()
    {
        { false, false, null, ProxyProtocols.All, false },
        { true, false, null, ProxyProtocols.Relay, true },
        { false, true, null, ProxyProtocols.Socks5 | ProxyProtocols.Http, true },
        { true, true, null, ProxyProtocols.All, true },
        { true, true, ProxyProtocols.Http, ProxyProtocols.Http, true },
        { true, false, ProxyProtocols.Relay, ProxyProtocols.Relay, true },
        { false, false, ProxyProtocols.Socks5, ProxyProtocols.Socks5, false },
    };

    [Theory]
    [MemberData(nameof(Choices))]
    public void Secrets_choose_what_is_not_named(bool keys, bool users, ProxyProtocols? named, ProxyProtocols served, bool guarded)
    {
        ServedProtocols choice = Options(keys, users, named).Served;
        Assert.Equal((served, guarded), (choice.Served, choice.AuthenticateAll));
    }

    [Theory]
    [InlineData(true, false, ProxyProtocols.Relay | ProxyProtocols.Socks5, "Protocols is 'Relay, Socks5', and nothing would authenticate clients of Socks5 while others need a secret: give a credential, leave out Socks5, or say AllowAnonymous.")]
    [InlineData(false, true, ProxyProtocols.All, "Protocols is 'All', and nothing would authenticate clients of Relay while others need a secret: give a key, leave out Relay, or say AllowAnonymous.")]
    [InlineData(true, false, ProxyProtocols.Http, "Protocols is 'Http', and nothing would authenticate clients of Http while others need a secret: give a credential, leave out Http, or say AllowAnonymous.")]
    public void No_open_door_beside_a_guarded_one(bool keys, bool users, ProxyProtocols named, string message)
    {
        ProxyServerOptions options = Options(keys, users, named);
        Assert.Equal(message, Assert.Throws<FormatException>(() => new ProxyServer(options)).Message);
        Assert.Equal(named, (options with { AllowAnonymous = true }).Served.Served);
        Assert.False((options with { AllowAnonymous = true }).Served.AuthenticateAll);
    }

    [Theory]
    [InlineData(null, "give a key or a credential, listen on")]
    [InlineData(ProxyProtocols.Relay, "give a key, listen on")]
    [InlineData(ProxyProtocols.Socks5, "give a credential, listen on")]
    public async Task The_remedy_fits_the_protocols(ProxyProtocols? named, string remedy)
    {
        var server = new ProxyServer(Options(false, false, named) with { LocalAddress = "0.0.0.0" });
        FormatException error = await Assert.ThrowsAsync<FormatException>(() => server.StartAsync());
        Assert.Contains(remedy, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ProxyProtocols.None)]
    [InlineData((ProxyProtocols)8)]
    public void Protocols_that_do_not_exist_are_refused(ProxyProtocols named)
    {
        FormatException error = Assert.Throws<FormatException>(() => new ProxyServer(Options(false, false, named)));
        Assert.Equal($"Protocols is '{named}'; it must be one or more of Relay, Socks5, Http.", error.Message);
    }

    [Fact]
    public void An_access_listener_serves_no_relay_headers()
    {
        FormatException error = Assert.Throws<FormatException>(() => new AccessListener(new AccessListenerOptions { Protocols = ProxyProtocols.Relay }));
        Assert.Equal("Protocols is 'Relay'; it must be one or more of Socks5, Http.", error.Message);
    }

    [Fact]
    public void What_a_listener_with_a_destination_cannot_ask_for_is_refused()
    {
        var options = new AccessListenerOptions { Destination = new("127.0.0.1", 9) };
        Assert.StartsWith("Credentials are given, but with a Destination", Assert.Throws<FormatException>(() => new AccessListener(options with { Credentials = Users })).Message, StringComparison.Ordinal);
        Assert.StartsWith("Protocols is 'Socks5'; it must be left out", Assert.Throws<FormatException>(() => new AccessListener(options with { Protocols = ProxyProtocols.Socks5 })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mixed_listener_that_others_can_reach_wants_credentials()
    {
        var options = new AccessListenerOptions { LocalAddress = "0.0.0.0" };
        FormatException error = await Assert.ThrowsAsync<FormatException>(() => new AccessListener(options).StartAsync());
        Assert.Contains("give a credential, listen on 127.0.0.1", error.Message, StringComparison.Ordinal);
        await using var guarded = new AccessListener(options with { Credentials = Users });
        await guarded.StartAsync().Within();
    }

    [Theory]
    [InlineData(null, "socks5")]
    [InlineData(ProxyProtocols.Http, "http")]
    public async Task A_mixed_listener_is_named_as_its_clients_know_it(ProxyProtocols? named, string scheme)
    {
        await using var listener = new AccessListener(new AccessListenerOptions { Protocols = named });
        await listener.StartAsync().Within();
        Assert.Equal($"{scheme}://127.0.0.1:{listener.LocalPort}", listener.Uri);
    }

    [Theory]
    [InlineData(true, true, null, "relay")]
    [InlineData(false, true, null, "socks5")]
    [InlineData(false, true, ProxyProtocols.Http, "http")]
    public async Task A_server_is_a_hop_of_a_kind_that_it_serves(bool keys, bool users, ProxyProtocols? named, string scheme)
    {
        await using var server = new ProxyServer(Options(keys, users, named));
        await server.StartAsync().Within();
        ProxyHop hop = server.ToHop();
        Assert.Equal($"{scheme}://127.0.0.1:{server.LocalPort}", server.Uri);
        Assert.Equal(server.Uri, hop.Uri);
        Assert.Equal((keys ? Keys[0] : null, keys ? null : Users[0]), (hop.Key, hop.Credential));
    }

    private static ProxyServerOptions Options(bool keys, bool users, ProxyProtocols? named) =>
        new() { Keys = keys ? Keys : [], Credentials = users ? Users : [], Protocols = named };
}

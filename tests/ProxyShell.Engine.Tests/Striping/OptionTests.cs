using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Striping;

namespace ProxyShell.Engine.Tests.Striping;

/// <summary>What the two ends of a pipe refuse to be told, and what they may be told while they run.</summary>
public class OptionTests
{
    private static readonly StripedPipeEntryOptions Near = new() { Peer = TransportAddress.Parse("far.example:7000") };
    private static readonly StripedPipeExitOptions Far = new() { Destination = new HostEndpoint("origin.example", 80) };

    public static TheoryData<string, StripedPipeOptions> Faults => new()
    {
        { "Key is given, but Framing Datagram has no handshake in which to show it: use TLS with client certificates, a chain with a payload key, or Framing Stripe (which carries datagrams too, with Udp).", Near with { Framing = StripedPipeFraming.Datagram, Key = ProxyKey.Create() } },
        { "Key is given, but Framing Datagram has no handshake in which to show it", Far with { Framing = StripedPipeFraming.Datagram, Key = ProxyKey.Create() } },
        { "Framing is '7'; it must be Stripe or Datagram.", Near with { Framing = (StripedPipeFraming)7 } },
        { "Window is '65535'; it must be 65536 (64 KiB) to 1073741824 (1 GiB).", Near with { Window = 65_535 } },
        { "Window is '1073741825'; ", Far with { Window = 1_073_741_825 } },
        { "ReconnectTimeout is '00:00:00'; it must be more than 0 and at most 24 days.", Far with { ReconnectTimeout = TimeSpan.Zero } },
        { "StallTimeout is '-00:00:00.0010000'; ", Near with { StallTimeout = Timeout.InfiniteTimeSpan } },
        { "StripeCount is '0'; it must be 1 to 64.", Near with { StripeCount = 0 } },
        { "StripeCount is '65'; ", Near with { StripeCount = 65 } },
        { "MaxStripeCount is '4'; it must be 0 (always StripeCount), or more than StripeCount (4) and at most 64.", Near with { MaxStripeCount = 4 } },
        { "MaxStripeCount is '65'; ", Near with { MaxStripeCount = 65 } },
        { "StripeCount is given, but with Framing Datagram every client has one connection: leave it out, or use Framing Stripe.", Near with { Framing = StripedPipeFraming.Datagram, StripeCount = 2 } },
        { "MaxStripeCount is given, but with Framing Datagram every client has one connection", Near with { Framing = StripedPipeFraming.Datagram, MaxStripeCount = 8 } },
        { "Peer is 'far.example:0'; it must be an endpoint with a port other than 0.", Near with { Peer = TransportAddress.Parse("far.example:0") } },
        { "Peer is 'far.example:53'; it must be a TCP, TLS or Unix address.", Near with { Peer = TransportAddress.Udp(new HostEndpoint("far.example", 53)) } },
        { "Peer is 'far.example:53'; it must be a TCP, TLS or Unix address.", Near with { Peer = TransportAddress.Parse("far.example:53").Multiplexed() } },
        { "PeerTrust is given, but the Peer far.example:7000 is not reached by TLS: leave it out, or write tls://far.example:7000.", Near with { PeerTrust = TlsTrust.Pinned(new string('a', 64)) } },
        { "PeerServerName is given, but the Peer far.example:7000 is not reached by TLS", Near with { PeerServerName = "x" } },
        { "Rules is given, but all that comes in goes to the Peer", Near with { Rules = [ProxyRule.Block([DestinationPattern.Parse("*")])] } },
        { "BlockByDefault is given, but all that comes in goes to the Peer", Near with { BlockByDefault = true } },
        { "A Certificate is given, but with Udp clients do not speak TLS: leave out one of the two.", Near with { Udp = true, Certificate = Certificates.Localhost } },
        { "AcceptProxyProtocol is given, but a PROXY header begins a connection, not a datagram", Near with { Udp = true, AcceptProxyProtocol = true } },
        { "LocalAddress is 'unix:/tmp/x'; it must be an IP address with Udp.", Near with { Udp = true, LocalAddress = "unix:/tmp/x" } },
        { "Destination is 'origin.example:0'; it must be an endpoint with a port other than 0.", Far with { Destination = new HostEndpoint("origin.example", 0) } },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_fault_is_named(string message, StripedPipeOptions options) =>
        Assert.StartsWith(message, Assert.Throws<FormatException>(options.Validate).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("far.example:7000", TransportKind.Tcp, "far.example:7000")]
    [InlineData(" tcp://[2001:db8::1]:7000/ ", TransportKind.Tcp, "[2001:db8::1]:7000")]
    [InlineData("TLS://far.example:7000", TransportKind.Tls, "far.example:7000")]
    [InlineData("unix:/run/far.sock", TransportKind.Unix, "unix:/run/far.sock")]
    public void A_peer_is_read(string text, TransportKind kind, string address)
    {
        TransportAddress peer = TransportAddress.Parse(text);
        Assert.Equal((kind, address), (peer.Kind, peer.ToString()));
        (Near with { Peer = peer }).Validate();
    }

    [Theory]
    [InlineData("udp://far.example:53", "'udp://far.example:53' is not an address to connect to: it must be host:port, tcp://host:port, tls://host:port or unix:/path.")]
    [InlineData("far.example", "far.example")]
    [InlineData("", "")]
    [InlineData("tls://", "")]
    [InlineData("unix:", "The path of the Unix socket is empty.")]
    public void What_is_no_address_is_refused(string text, string part)
    {
        Assert.False(TransportAddress.TryParse(text, out _, out string? fault));
        Assert.Contains(part, fault, StringComparison.Ordinal);
        Assert.Equal(fault, Assert.Throws<FormatException>(() => TransportAddress.Parse(text)).Message);
    }

    [Fact]
    public async Task A_far_end_that_anybody_reaches_refuses_to_start()
    {
        await using var open = new StripedPipeExit(Far with { LocalAddress = "0.0.0.0", Name = "far" });
        Assert.Equal(
            "StripedPipeExit would listen on 0.0.0.0:0, where others can reach it, and nothing authenticates them: give a Key, listen on 127.0.0.1, or say AllowAnonymous.",
            (await Assert.ThrowsAsync<FormatException>(() => open.StartAsync())).Message);
        await using var framed = new StripedPipeExit(Far with { LocalAddress = "0.0.0.0", Framing = StripedPipeFraming.Datagram });
        Assert.Contains("give a Certificate and ClientCertificateThumbprints, ", (await Assert.ThrowsAsync<FormatException>(() => framed.StartAsync())).Message, StringComparison.Ordinal);
        new StripedPipeExit(Far with { LocalAddress = "0.0.0.0", Key = ProxyKey.Create() }).RefuseStrangers();
        new StripedPipeExit(Far with { LocalAddress = "0.0.0.0", AllowAnonymous = true }).RefuseStrangers();
        Assert.Throws<FormatException>(new StripedPipeEntry(Near with { LocalAddress = "0.0.0.0", Key = ProxyKey.Create() }).RefuseStrangers);
    }

    [Fact]
    public void Ways_stripes_and_times_can_be_changed_as_it_runs_and_what_both_ends_agreed_on_cannot()
    {
        var near = new StripedPipeEntry(Near);
        near.Reconfigure(Near with { StripeCount = 6, MaxStripeCount = 12, Chains = [new ProxyChain(ProxyHop.Parse("relay://h:1"))], StallTimeout = TimeSpan.FromSeconds(3), ReconnectTimeout = TimeSpan.FromSeconds(9) });
        Assert.Equal(
            "changed ReconnectTimeout from 00:01:00 to 00:00:09; StallTimeout from 00:00:10 to 00:00:03; StripeCount from 4 to 6; MaxStripeCount from 0 to 12; Chains from none to relay://h:1",
            near.Events.ToList()[^1].Message);
        Assert.Equal(["relay://h:1"], near.GetChains().Select(chain => chain.ToString()));
        foreach (StripedPipeEntryOptions fixedOne in new[] { Near with { Window = 1 << 20 }, Near with { Key = ProxyKey.Create() }, Near with { Udp = true }, Near with { Framing = StripedPipeFraming.Datagram }, Near with { Peer = TransportAddress.Parse("b:1") } })
            Assert.StartsWith("A running service cannot change ", Assert.Throws<FormatException>(() => near.Reconfigure(fixedOne)).Message, StringComparison.Ordinal);

        var far = new StripedPipeExit(Far);
        far.Reconfigure(Far with { Chain = new ProxyChain(ProxyHop.Parse("relay://h:1")) });
        Assert.Equal("changed Chain from direct to relay://h:1", far.Events.ToList()[^1].Message);
        Assert.Equal("A running service cannot change Destination from origin.example:80 to b:1: stop it and start another.", Assert.Throws<FormatException>(() => far.Reconfigure(Far with { Destination = new HostEndpoint("b", 1) })).Message);
    }

    [Fact]
    public void A_key_is_never_told()
    {
        ProxyKey key = ProxyKey.Create();
        Assert.DoesNotContain(key.Reveal(), (Near with { Key = key }).ToString(), StringComparison.Ordinal);
        string fault = Assert.Throws<FormatException>(() => new StripedPipeExit(Far).Reconfigure(Far with { Key = key })).Message;
        Assert.DoesNotContain(key.Reveal(), fault, StringComparison.Ordinal);
    }
}

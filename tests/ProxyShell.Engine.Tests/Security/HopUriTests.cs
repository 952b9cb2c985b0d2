using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Chains.Pool;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Security;

/// <summary>Hop URIs carry keys: they are read from many hands, and shown to many eyes without the key.</summary>
public class HopUriTests
{
    private const string Secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    private const string Print = "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("relay://127.0.0.1:4101", "relay://127.0.0.1:4101", TransportKind.Tcp)]
    [InlineData("  RELAY://127.0.0.1:4101/ ", "relay://127.0.0.1:4101", TransportKind.Tcp)]
    [InlineData("relay://proxy.example:1", "relay://proxy.example:1", TransportKind.Tcp)]
    [InlineData("relay://[::1]:4101", "relay://[::1]:4101", TransportKind.Tcp)]
    [InlineData("relay://" + Secret + "@h:1", "relay://h:1", TransportKind.Tcp)]
    [InlineData("relay://" + Secret + "%3D@h:1", "relay://h:1", TransportKind.Tcp)]
    [InlineData("relays://h:1", "relays://h:1", TransportKind.Tls)]
    [InlineData("relays://" + Secret + "@h:1?thumbprint=" + Print + "&servername=a.b", "relays://h:1", TransportKind.Tls)]
    [InlineData("socks5://h", "socks5://h:1080", TransportKind.Tcp)]
    [InlineData("socks5+tls://h:1", "socks5+tls://h:1", TransportKind.Tls)]
    [InlineData("relay+unix:/run/p.sock", "relay+unix:/run/p.sock", TransportKind.Unix)]
    [InlineData("relay+mux://h:1", "relay+mux://h:1", TransportKind.Tcp)]
    [InlineData("RELAYS+MUX://" + Secret + "@h:1?idle=5&thumbprint=" + Print, "relays+mux://h:1", TransportKind.Tls)]
    [InlineData("relay+mux+ws://h/p", "relay+mux+ws://h:80/p", TransportKind.Tcp)]
    [InlineData("relay+mux+wss://" + Secret + "@h?sessions=1", "relay+mux+wss://h:443", TransportKind.Tls)]
    [InlineData("relay+mux+unix:" + Secret + "@/run/p.sock", "relay+mux+unix:/run/p.sock", TransportKind.Unix)]
    [InlineData("relay+unix:///run/p.sock", "relay+unix:/run/p.sock", TransportKind.Unix)]
    [InlineData("relay+unix:/run/@p.sock", "relay+unix:/run/@p.sock", TransportKind.Unix)]
    [InlineData("relay+unix:" + Secret + "@/run/p.sock", "relay+unix:/run/p.sock", TransportKind.Unix)]
    [InlineData("relay+unix://" + Secret + "@/run/p.sock", "relay+unix:/run/p.sock", TransportKind.Unix)]
    public void Good_texts_are_read(string text, string shown, TransportKind kind)
    {
        var hop = ProxyHop.Parse(text);
        Assert.Equal((shown, shown, kind), (hop.Uri, hop.ToString(), hop.Address.Kind));
        Assert.Equal(text.Contains(Secret, StringComparison.Ordinal) ? ProxyKey.Parse(Secret) : null, hop.Key);
        Assert.True(ProxyHop.TryParse(text, out ProxyHop? same, out _));
        Assert.Equal(hop.Address, same.Address);
    }

    [Fact]
    public void Options_of_TLS_are_read()
    {
        var hop = ProxyHop.Parse($"relays://h:1?servername=front.example&thumbprint={Print[..2]}%3A{Print[2..]}");
        Assert.Equal("front.example", hop.ServerName);
        Assert.Equal(Print.ToUpperInvariant(), hop.Trust.Thumbprint);
    }

    [Fact]
    public void Options_of_sessions_are_read()
    {
        var hop = ProxyHop.Parse("relays+mux://h:1?sessions=64&CHANNELS=1&idle=2073600&keepalive=3600&servername=s");
        Assert.Equal((64, 1, TimeSpan.FromDays(24), TimeSpan.FromHours(1)), (hop.Sessions.MaxSessions, hop.Sessions.MaxChannels, hop.Sessions.IdleTimeout, hop.Sessions.KeepAlive));
        Assert.Equal("s", hop.ServerName);
        Assert.Equal(SessionPooling.Default, ProxyHop.Parse("relay+mux://h:1").Sessions);
    }

    [Theory]
    [InlineData("relay://h:1", "relay+mux://h:1")]
    [InlineData("relays://h:1", "relays+mux://h:1")]
    [InlineData("relay+wss://h/p", "relay+mux+wss://h:443/p")]
    [InlineData("relay+unix:/p", "relay+mux+unix:/p")]
    [InlineData("relay+mux://h:1", "relay+mux://h:1")]
    public void A_relay_hop_becomes_multiplexed(string uri, string multiplexed)
    {
        Assert.Equal(multiplexed, ProxyHop.Parse(uri).Multiplexed().Uri);
        Assert.Equal(ProxyHop.Parse(multiplexed), ProxyHop.Parse(uri).Multiplexed());
    }

    [Fact]
    public void Hops_of_other_kinds_do_not() =>
        Assert.Equal("'http://h:80' is a http hop; only relay hops take sessions.", Assert.Throws<FormatException>(() => ProxyHop.Parse("http://h").Multiplexed()).Message);

    [Theory]
    [InlineData("", "it must start with one of relay:, relays:, relay+unix:, relay+ws:, relay+wss:, relay+mux:, relays+mux:, relay+mux+unix:, relay+mux+ws:, relay+mux+wss:, socks5:, socks5+tls:, http:, https:, ssh:, for example relay://127.0.0.1:4101")]
    [InlineData("127.0.0.1:4101", "it must start with one of relay:, relays:, relay+unix:, relay+ws:, relay+wss:, relay+mux:, relays+mux:, relay+mux+unix:, relay+mux+ws:, relay+mux+wss:, socks5:, socks5+tls:, http:, https:, ssh:, for example relay://127.0.0.1:4101")]
    [InlineData("ftp://h:1", "it must start with one of relay:, relays:, relay+unix:, relay+ws:, relay+wss:, relay+mux:, relays+mux:, relay+mux+unix:, relay+mux+ws:, relay+mux+wss:, socks5:, socks5+tls:, http:, https:, ssh:, for example relay://127.0.0.1:4101")]
    [InlineData("relay:h:1", "'//' is missing after the scheme")]
    [InlineData("relay://", "'' is not an endpoint: write host:port, for example 127.0.0.1:8080 or [::1]:8080")]
    [InlineData("relay://h", "'h' is not an endpoint: write host:port, for example 127.0.0.1:8080 or [::1]:8080")]
    [InlineData("relay://h:0", "port 0 cannot be connected to")]
    [InlineData("relay://h:65536", "'65536' is not a port (0 to 65535)")]
    [InlineData("relay://h:x", "'h:x' is not an endpoint: 'x' is not a port (0 to 65535)")]
    [InlineData("relay://::1:80", "'::1:80' is not an endpoint: an IPv6 address needs brackets, for example [::1]:8080")]
    [InlineData("relay://:80", "The host is empty: write host:port, for example 127.0.0.1:8080")]
    [InlineData("relay://a b:80", "'a b' is not a host name: it holds a character that no name may have")]
    [InlineData("relay://h:1?thumbprint=" + Print, "only TLS hops (relays, relay+wss, socks5+tls, https) take options")]
    [InlineData("relays://h:1?color=red", "option 'color' is not known; thumbprint and servername are")]
    [InlineData("relays://h:1?servername=", "option 'servername' is not known; thumbprint and servername are")]
    [InlineData("relay+mux://h:1?thumbprint=" + Print, "only TLS hops (relays, relay+wss, socks5+tls, https) take options other than sessions, channels, idle, keepalive")]
    [InlineData("relay://h:1?sessions=2", "option 'sessions' is for multiplexed hops (relay+mux, relays+mux, relay+mux+unix, relay+mux+ws, relay+mux+wss)")]
    [InlineData("relays://h:1?keepalive=2", "option 'keepalive' is for multiplexed hops (relay+mux, relays+mux, relay+mux+unix, relay+mux+ws, relay+mux+wss)")]
    [InlineData("relay+mux://h:1?sessions=two", "option 'sessions' is 'two', and has to be a whole number")]
    [InlineData("relay+mux://h:1?idle=1.5", "option 'idle' is '1.5', and has to be a whole number")]
    [InlineData("relay+mux://h:1?idle=", "option 'idle' is '', and has to be a whole number")]
    [InlineData("relay+mux://h:1?sessions=65", "MaxSessions of sessions is '65'; it must be 1 to 64")]
    [InlineData("relay+mux://h:1?channels=0", "MaxChannels of sessions is '0'; it must be 1 to 4096")]
    [InlineData("relay+mux://h:1?channels=4097", "MaxChannels of sessions is '4097'; it must be 1 to 4096")]
    [InlineData("relay+mux://h:1?idle=0", "IdleTimeout of sessions is '00:00:00'; it must be more than 0 and at most 24 days")]
    [InlineData("relay+mux://h:1?idle=2073601", "IdleTimeout of sessions is '24.00:00:01'; it must be more than 0 and at most 24 days")]
    [InlineData("relay+mux://h:1?keepalive=0", "KeepAlive of sessions is '00:00:00'; it must be 1 second to 1 hour")]
    [InlineData("relay+mux://h:1?keepalive=3601", "KeepAlive of sessions is '01:00:01'; it must be 1 second to 1 hour")]
    [InlineData("relays+mux://h:1?color=red", "option 'color' is not known; thumbprint and servername are")]
    [InlineData("socks5+mux://h:1", "it must start with one of relay:, relays:, relay+unix:, relay+ws:, relay+wss:, relay+mux:, relays+mux:, relay+mux+unix:, relay+mux+ws:, relay+mux+wss:, socks5:, socks5+tls:, http:, https:, ssh:, for example relay://127.0.0.1:4101")]
    [InlineData("relay+unix:run/p.sock", "a Unix socket needs an absolute path, for example relay+unix:/run/proxy.sock")]
    public void Bad_texts_are_named_with_their_fault(string text, string fault)
    {
        FormatException error = Assert.Throws<FormatException>(() => ProxyHop.Parse(text));
        Assert.Equal($"'{text}' is not a hop URI: {fault}.", error.Message);
        Assert.False(ProxyHop.TryParse(text, out ProxyHop? hop, out string? told));
        Assert.Null(hop);
        Assert.Equal(error.Message, told);
    }

    [Fact]
    public void A_path_that_no_socket_can_have_is_refused()
    {
        string longPath = "/" + new string('p', 108);
        Assert.Contains("at most 107 bytes", Assert.Throws<FormatException>(() => ProxyHop.Parse("relay+unix:" + longPath)).Message, StringComparison.Ordinal);
        Assert.Throws<FormatException>(() => ProxyHop.Parse("relay+unix:/" + new string('é', 54)));
        Assert.Equal("unix:" + longPath[..107], ProxyHop.Parse("relay+unix:" + longPath[..107]).Endpoint);
    }

    public static TheoryData<string> FaultyTextsWithKeys => new(
        $"relay://{Secret}@host", $"relay://{Secret}@host:0", $"relay://{Secret}@host:99999", $"relay://{Secret}@", $"relay://{Secret}x@host:1",
        $"relay://{Secret}:@host:1", $"relay://user:{Secret}@host:1", $"relay:{Secret}@host:1", $"{Secret}@host:1", $"//{Secret}@host:1",
        $"ftp://{Secret}@host:1", $"socks5://user:{Secret}@host:x", $"relay://{Secret}@a@b", $"relay://{Secret}@host:1?x=1", $"relays://{Secret}@host:1?x=1",
        $"relays://{Secret}@host:1?servername=a@b&x=1", $"relays://{Secret}@host:1?thumbprint=zz", $"relay+unix:{Secret}@relative", $"relay+unix://{Secret}x@/run/p",
        $"relay://{Secret}", $"relay://{Secret}:host:1", $"relay://{Secret}/host:1", $"relay://{Secret}:4101x", $"ftp://{Secret}", Secret);

    [Theory]
    [MemberData(nameof(FaultyTextsWithKeys))]
    public void No_message_shows_a_key(string text)
    {
        FormatException error = Assert.Throws<FormatException>(() => ProxyHop.Parse(text));
        Assert.DoesNotContain(Secret[..20], error.ToString(), StringComparison.Ordinal);
        Assert.True(!ProxyHop.TryParse(text, out _, out string? fault) && !fault.Contains(Secret[..20], StringComparison.Ordinal), fault);
    }

    [Fact]
    public void A_hop_shows_no_key_anywhere()
    {
        var hop = ProxyHop.Parse($"relays://{Secret}@h:1");
        foreach (string shown in new[] { hop.ToString(), hop.Uri, hop.Endpoint, new ProxyChain(hop, hop).ToString(), hop.Key!.ToString() })
            Assert.DoesNotContain(Secret[..20], shown, StringComparison.Ordinal);
    }
}

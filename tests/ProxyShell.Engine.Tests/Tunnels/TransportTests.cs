using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Tests.Tunnels;

/// <summary>The ways an agent reaches its gateway.</summary>
public class TransportTests
{
    public static TheoryData<string> Schemes => new("tunnel", "tunnels", "ws", "wss");

    [Theory]
    [MemberData(nameof(Schemes))]
    public async Task Every_transport_carries_a_tunnel_alone_and_through_a_chain(string scheme)
    {
        bool isTls = scheme is "tunnels" or "wss";
        await using Origin origin = Origin.Echo();
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, o => o with { Certificate = isTls ? Certificates.Localhost : null });
        await using var proxies = new House(Sockets.Portable);
        (ProxyChain chain, ProxyServer[] servers) = await proxies.ChainAsync(2);
        string pin = isTls ? $"?thumbprint={Certificates.Thumbprint(Certificates.Localhost)}" : "";
        var address = GatewayAddress.Parse($"{scheme}://localhost:{house.Gateway.LocalPort}{(scheme[0] == 'w' ? "/any/path" : "")}{pin}");
        foreach (ProxyChain way in new[] { ProxyChain.Direct, chain })
        {
            TunnelAgent agent = await house.RegisterAsync($"tcp://{origin.Endpoint}", o => o with { Gateway = address, Chain = way });
            using Client client = await Client.ConnectAsync(agent.RemoteEndpoint!.Port);
            byte[] bytes = RandomBytes.Of(200_000, 1);
            Task sending = client.SendAsync(bytes);
            Assert.Equal(bytes, await client.ReadAsync(bytes.Length));
            await sending;
            await agent.StopAsync(TimeSpan.Zero).Within();
        }
        Assert.Equal(1, servers[0].Counters.Accepted);
    }

    [Fact]
    public async Task A_certificate_that_is_not_trusted_fails_the_start()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, o => o with { Certificate = Certificates.Localhost });
        TunnelAgent agent = house.Agent("tcp://127.0.0.1:9", o => o with { Gateway = GatewayAddress.Parse($"tunnels://localhost:{house.Gateway.LocalPort}") });
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => agent.StartAsync().Within());
        Assert.Equal((ProxyErrorReason.TlsFailed, ProxyStage.Tls), (error.Reason, error.Stage));
        Assert.StartsWith($"gateway tunnels://localhost:{house.Gateway.LocalPort}: ", error.Message, StringComparison.Ordinal);
    }

    // even one whose certificate the agent trusts
    [Fact]
    public async Task Who_ends_TLS_in_between_cannot_use_the_registration()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, o => o with { Certificate = Certificates.Localhost });
        X509Certificate2 false_ = Certificates.SelfSigned("localhost");
        await using Origin middle = Origin.Of(socket => ForwardAsync(socket, false_, house.Gateway.LocalPort));
        TunnelAgent agent = house.Agent("tcp://127.0.0.1:9", o => o with { Gateway = GatewayAddress.Parse($"tunnels://localhost:{middle.Port}?thumbprint={Certificates.Thumbprint(false_)}") });
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => agent.StartAsync().Within());
        Assert.Equal(ProxyErrorReason.AuthenticationFailed, error.Reason);
        Assert.Contains("signed for another certificate", error.Message, StringComparison.Ordinal);
    }

    // as a web server in front of the gateway does
    [Fact]
    public async Task A_front_that_ends_TLS_for_the_gateway_is_no_obstacle()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        await using Origin front = Origin.Of(socket => ForwardAsync(socket, Certificates.Localhost, house.Gateway.LocalPort, isTls: false));
        await house.RegisterAsync("tcp://127.0.0.1:9", o => o with { Gateway = GatewayAddress.Parse($"tunnels://localhost:{front.Port}?thumbprint={Certificates.Thumbprint(Certificates.Localhost)}") });
    }

    [Fact]
    public async Task What_is_no_agent_is_turned_away_in_words()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        using Client web = await Client.ConnectAsync(house.Gateway.LocalPort);
        await web.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 400 ", System.Text.Encoding.ASCII.GetString(await web.ReadToEndAsync()), StringComparison.Ordinal);
        using Client ssh = await Client.ConnectAsync(house.Gateway.LocalPort);
        await ssh.SendAsync(new byte[] { 0x05, 1, 0 });
        Assert.True(await ssh.IsClosedAsync());
        Assert.Contains("served here: tunnel, tunnel+ws", (await House.EventAsync(house.Gateway, ProxyEventKind.Refused)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tunnel://g:1", "tunnel://g:1", false)]
    [InlineData("TUNNELS://[::1]:44", "tunnels://[::1]:44", true)]
    [InlineData("ws://g", "ws://g:80/", false)]
    [InlineData("wss://g/a/b", "wss://g:443/a/b", true)]
    [InlineData("wss://g:8443?servername=x", "wss://g:8443/", true)]
    public void Addresses_of_gateways_are_read(string text, string written, bool usesTls)
    {
        var address = GatewayAddress.Parse(text);
        Assert.Equal((written, usesTls), (address.ToString(), address.UsesTls));
    }

    [Theory]
    [InlineData("", "it must start with")]
    [InlineData("http://g:1", "it must start with")]
    [InlineData("tunnel://g", "is not an endpoint")]
    [InlineData("tunnel://g:0", "port 0")]
    [InlineData("tunnel://g:1/x", "has no path")]
    [InlineData("tunnel://g:1?thumbprint=00", "only tunnels:// and wss:// take options")]
    [InlineData("tunnels://g:1?thumbprint=00", "64 hexadecimal digits")]
    [InlineData("tunnels://g:1?x=1", "option 'x' is not known")]
    [InlineData("ws://g/a b", "the path holds a character")]
    public void What_is_no_address_of_a_gateway_is_said_to_be_none(string text, string words) =>
        Assert.Contains(words, Assert.Throws<FormatException>(() => GatewayAddress.Parse(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("http://h", TunnelKind.Http, TransportKind.Tcp, "http://h:80")]
    [InlineData("https://h:8443/", TunnelKind.Http, TransportKind.Tls, "https://h:8443")]
    [InlineData("http+unix:/run/x.sock", TunnelKind.Http, TransportKind.Unix, "http+unix:/run/x.sock")]
    [InlineData("tls://h", TunnelKind.Tls, TransportKind.Tcp, "tls://h:443")]
    [InlineData("tls+unix:///run/x", TunnelKind.Tls, TransportKind.Unix, "tls+unix:/run/x")]
    [InlineData("TCP://[::1]:22", TunnelKind.Tcp, TransportKind.Tcp, "tcp://[::1]:22")]
    [InlineData("tcp+tls://h:1", TunnelKind.Tcp, TransportKind.Tls, "tcp+tls://h:1")]
    [InlineData("unix:/run/x", TunnelKind.Tcp, TransportKind.Unix, "unix:/run/x")]
    [InlineData("udp://h:53", TunnelKind.Udp, TransportKind.Udp, "udp://h:53")]
    public void Destinations_are_read(string text, TunnelKind kind, TransportKind transport, string written)
    {
        var destination = TunnelDestination.Parse(text);
        Assert.Equal((kind, transport, written), (destination.Kind, destination.Address.Kind, destination.ToString()));
    }

    [Theory]
    [InlineData("127.0.0.1:80", "it must start with")]
    [InlineData("tcp://h", "is not an endpoint")]
    [InlineData("udp://h:0", "port 0")]
    [InlineData("http:h", "'//' is missing")]
    [InlineData("http://h/path", "only host and port")]
    [InlineData("http://u:p@h", "only host and port")]
    [InlineData("unix:x", "an absolute path")]
    public void What_is_no_destination_is_said_to_be_none(string text, string words) =>
        Assert.Contains(words, Assert.Throws<FormatException>(() => TunnelDestination.Parse(text)).Message, StringComparison.Ordinal);

    private static async Task ForwardAsync(Socket socket, X509Certificate2 certificate, int port, bool isTls = true)
    {
        using var near = new SslStream(new NetworkStream(socket));
        await near.AuthenticateAsServerAsync(certificate);
        using var far = new TcpClient();
        await far.ConnectAsync("127.0.0.1", port);
        using Stream gateway = isTls ? new SslStream(far.GetStream(), false, (_, certificate, _, _) => certificate is not null) : far.GetStream();
        if (gateway is SslStream tls) await tls.AuthenticateAsClientAsync("localhost");
        try
        {
            await Task.WhenAny(near.CopyToAsync(gateway), gateway.CopyToAsync(near));
        }
        catch (IOException)
        {
            // one side broke: so does the other
        }
    }
}

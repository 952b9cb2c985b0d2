using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Transport;

/// <summary>Hops behind TLS: trust by thumbprint or by the system, half-close, and who is told what when it fails.</summary>
public sealed class TlsTests : IAsyncLifetime
{
    private static readonly string OtherPrint = new('A', 64);

    private readonly Origin _origin = Origin.Echo();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _origin.DisposeAsync();

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Bytes_pass_three_pinned_hops(string sockets)
    {
        await using var house = new House(sockets);
        (ProxyChain chain, ProxyServer[] servers) = await house.ChainAsync(3, WithTls);
        Assert.StartsWith("relays://127.0.0.1:", servers[0].Uri, StringComparison.Ordinal);
        AccessListener listener = await house.ListenAsync(_origin.Endpoint, chain);

        await AssertEchoesAsync(listener, RandomBytes.Of(3_000_000));

        foreach (ProxyServer server in servers)
        {
            await House.QuietAsync(server);
            Assert.Equal((0, 0), (server.Counters.Failed, server.Counters.Refused));
        }
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Half_close_passes_through_TLS(string sockets)
    {
        byte[] answer = RandomBytes.Of(20_000_000);
        await using Origin origin = Origin.AnswerAfterEnd(answer);
        await using var house = new House(sockets);
        (ProxyChain chain, _) = await house.ChainAsync(3, WithTls);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, chain);
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("question");
        client.EndSending();
        Assert.Equal(answer, await client.ReadToEndAsync());
        await House.QuietAsync(listener);
        Assert.Equal(0, listener.Counters.Failed);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Hops_of_all_kinds_make_a_chain(string sockets)
    {
        using var folder = new ScratchFolder();
        await using var house = new House(sockets);
        var key = ProxyKey.Create();
        ProxyServer tcp = await house.ProxyAsync(), tls = await house.ProxyAsync(o => WithTls(o) with { Keys = [key] });
        ProxyServer unix = await house.ProxyAsync(o => o with { LocalAddress = "unix:" + folder.File("p") });
        foreach (ProxyServer[] order in new[] { new[] { tcp, tls, unix }, [unix, tls, tcp], [tls, unix, tls] })
        {
            AccessListener listener = await house.ListenAsync(_origin.Endpoint, new ProxyChain(order.Select(s => s.ToHop())));
            await AssertEchoesAsync(listener, RandomBytes.Of(1_000_000));
        }
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_listener_may_speak_TLS_itself(string sockets)
    {
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(_origin.Endpoint, change: o => o with { Certificate = Certificates.Localhost });
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await using var stream = new SslStream(new NetworkStream(client.Socket), false, (_, c, _, _) => c!.GetCertHashString() == Certificates.Localhost.GetCertHashString());
        await stream.AuthenticateAsClientAsync("localhost").Within();
        await stream.WriteAsync("hello"u8.ToArray()).AsTask().Within();
        await stream.ShutdownAsync().Within();
        var got = new byte[5];
        await stream.ReadExactlyAsync(got).AsTask().Within();
        Assert.Equal("hello"u8.ToArray(), got);
        Assert.Equal(0, await stream.ReadAsync(got).AsTask().Within());
    }

    // hop 1 is dialled by the listener, the others by the hop before them: whoever dials finds out, and the message is the same
    [Theory]
    [InlineData(Sockets.Portable, 1)]
    [InlineData(Sockets.Portable, 2)]
    [InlineData(Sockets.Portable, 3)]
    [InlineData(Sockets.Linux, 1)]
    [InlineData(Sockets.Linux, 3)]
    public async Task A_wrong_thumbprint_is_told_with_its_hop(string sockets, int number)
    {
        await using var house = new House(sockets);
        (ProxyChain chain, ProxyServer[] servers) = await house.ChainAsync(3, WithTls);
        ProxyException error = await FailureAsync(house, Changed(chain, number, h => h with { Trust = TlsTrust.Pinned(OtherPrint) }));
        string actual = Certificates.Localhost.GetCertHashString(HashAlgorithmName.SHA256);
        Assert.Equal(
            $"hop {number} (127.0.0.1:{servers[number - 1].LocalPort}): TLS handshake failed: the server's certificate has thumbprint {actual}, not the pinned one",
            error.Message);
        Assert.Equal((ProxyErrorReason.TlsFailed, ProxyStage.Tls, number), (error.Reason, error.Stage, error.HopNumber));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_certificate_that_nobody_vouches_for_is_told_with_its_hop(int number)
    {
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, ProxyServer[] servers) = await house.ChainAsync(3, WithTls);
        ProxyException error = await FailureAsync(house, Changed(chain, number, h => h with { Trust = TlsTrust.System }));
        Assert.Equal(
            $"hop {number} (127.0.0.1:{servers[number - 1].LocalPort}): TLS handshake failed: the certificate (CN=localhost) is not trusted (UntrustedRoot)",
            error.Message);
        Assert.Equal((ProxyErrorReason.TlsFailed, number), (error.Reason, error.HopNumber));
        // in TLS 1.3 the server's own handshake may be over before the client says no
        ProxyEvent refused = await House.EventAsync(servers[number - 1], ProxyEventKind.Refused);
        Assert.Contains(refused.Reason, new[] { ProxyErrorReason.TlsFailed, ProxyErrorReason.ConnectionReset, ProxyErrorReason.ConnectionClosed });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_certificate_for_another_name_is_told_with_its_hop(int number)
    {
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, ProxyServer[] servers) = await house.ChainAsync(2, WithTls);
        ProxyException error = await FailureAsync(house, Changed(chain, number, h => h with { Trust = TlsTrust.System, ServerName = "elsewhere.test" }));
        Assert.Equal(
            $"hop {number} (127.0.0.1:{servers[number - 1].LocalPort}): TLS handshake failed: the certificate (CN=localhost) is not for this name", error.Message);
        Assert.Equal(ProxyErrorReason.TlsFailed, error.Reason);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task TLS_to_a_plain_port_ends_in_a_clean_refusal(int number)
    {
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, ProxyServer[] servers) = await house.ChainAsync(2);
        ProxyException error = await FailureAsync(house, Changed(chain, number, h => ProxyHop.Parse(h.Uri.Replace("relay:", "relays:", StringComparison.Ordinal))));
        Assert.StartsWith($"hop {number} (127.0.0.1:{servers[number - 1].LocalPort}): TLS handshake failed: ", error.Message, StringComparison.Ordinal);
        Assert.Equal(ProxyErrorReason.TlsFailed, error.Reason);
        ProxyEvent refused = await House.EventAsync(servers[number - 1], ProxyEventKind.Refused);
        Assert.StartsWith("client: begins with byte 0x16 (a TLS handshake; this port does not speak TLS); served here: relay, ", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Plain_bytes_to_a_TLS_port_end_in_a_clean_refusal(int number)
    {
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, ProxyServer[] servers) = await house.ChainAsync(2, WithTls);
        ProxyException error = await FailureAsync(house, Changed(chain, number, h => ProxyHop.Parse(h.Uri.Replace("relays:", "relay:", StringComparison.Ordinal))));
        Assert.StartsWith($"hop {number} (127.0.0.1:{servers[number - 1].LocalPort}): ", error.Message, StringComparison.Ordinal);
        ProxyEvent refused = await House.EventAsync(servers[number - 1], ProxyEventKind.Refused);
        Assert.Equal(ProxyErrorReason.TlsFailed, refused.Reason);
        Assert.StartsWith("TLS handshake failed: ", refused.Message, StringComparison.Ordinal);
        await House.QuietAsync(servers[number - 1]);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_read_that_races_with_its_cancellation_loses_no_byte(string sockets)
    {
        await using var pair = new ConnectedPair(sockets);
        (DuplexConnection near, DuplexConnection far) = await pair.ConnectAsync();
        var tls = new TlsServer([ServerCertificate.From(Certificates.Localhost)], null, TimeProvider.System, (_, _) => { });
        Task<DuplexConnection> accepting = tls.AcceptAsync(far, CancellationToken.None).AsTask();
        var trust = TlsTrust.Pinned(Certificates.Localhost.GetCertHashString(HashAlgorithmName.SHA256));
        await using DuplexConnection client = await TlsTransport.ConnectAsync(near, trust, "localhost", null, CancellationToken.None).Within();
        await using DuplexConnection server = await accepting.Within();
        await ReadRace.AssertLosesNothingAsync(client, server);
    }

    // as curl does: its own end, and the socket is closed, whatever the other side has to say
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_client_that_closes_after_its_end_is_no_failure(string sockets)
    {
        await using var pair = new ConnectedPair(sockets);
        (DuplexConnection near, DuplexConnection far) = await pair.ConnectAsync();
        var tls = new TlsServer([ServerCertificate.From(Certificates.Localhost)], null, TimeProvider.System, (_, _) => { });
        Task<DuplexConnection> accepting = tls.AcceptAsync(far, CancellationToken.None).AsTask();
        var trust = TlsTrust.Pinned(Certificates.Localhost.GetCertHashString(HashAlgorithmName.SHA256));
        DuplexConnection client = await TlsTransport.ConnectAsync(near, trust, "localhost", null, CancellationToken.None).Within();
        await using DuplexConnection server = await accepting.Within();
        await client.CompleteWritesAsync(CancellationToken.None).Within();
        Assert.Equal(0, await server.ReadAsync(new byte[1], CancellationToken.None).Within());
        near.Abort();
        await client.DisposeAsync();
        await Assert.ThrowsAsync<ProxyException>(async () =>
        {
            while (true) await far.WriteAsync(new byte[1], CancellationToken.None).Within();
        });

        await server.CompleteWritesAsync(CancellationToken.None).Within();
    }

    [Fact]
    public async Task A_client_that_vanishes_in_the_handshake_leaves_nothing_behind()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync(WithTls);
        using (Client client = await Client.ConnectAsync(server.LocalPort))
        {
            await client.SendAsync(new byte[] { 0x16, 3, 1, 2, 0, 1 });
            client.Reset();
        }
        await House.EventAsync(server, ProxyEventKind.Refused);
        await House.QuietAsync(server);
    }

    private static ProxyServerOptions WithTls(ProxyServerOptions options) => options with { Certificate = Certificates.Localhost };

    private static ProxyChain Changed(ProxyChain chain, int number, Func<ProxyHop, ProxyHop> change) =>
        new(chain.Hops.Select((hop, index) => index + 1 == number ? change(hop) : hop));

    private async Task<ProxyException> FailureAsync(House house, ProxyChain chain)
    {
        AccessListener listener = await house.ListenAsync(_origin.Endpoint, chain);
        await Client.AssertTurnedAwayAsync(listener.LocalPort);
        ProxyEvent failed = await House.EventAsync(listener, ProxyEventKind.Failed);
        return failed.Connection!.LastError!;
    }

    private static async Task AssertEchoesAsync(AccessListener listener, byte[] sent)
    {
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        Task<byte[]> reading = client.ReadToEndAsync();
        await client.SendAsync(sent);
        client.EndSending();
        Assert.Equal(sent, await reading);
    }
}

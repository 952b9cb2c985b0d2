using System.Net.Sockets;
using System.Security.Cryptography;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Transport;

/// <summary>Relay hops over WebSocket: the same stream, the same half-close, from the same port.</summary>
public class WebSocketTests
{
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Each_direction_ends_by_itself(string sockets)
    {
        byte[] sent = RandomBytes.Of(3_000_000), answer = RandomBytes.Of(2_000_000, seed: 2);
        await using Origin origin = Origin.AnswerAfterEnd(answer);
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync();
        AccessListener listener = await house.ListenAsync(origin.Endpoint, new ProxyChain(ProxyHop.Parse($"relay+ws://127.0.0.1:{server.LocalPort}/any/path")));
        for (int round = 0; round < 3; round++)
        {
            using Client client = await Client.ConnectAsync(listener.LocalPort);
            await client.SendAsync(sent);
            client.EndSending();
            Assert.Equal(answer, await client.ReadToEndAsync());
        }
        await AssertQuietAsync(listener, server);
        Assert.Equal((3 * sent.Length, 3 * answer.Length), (server.Counters.BytesSent, server.Counters.BytesReceived));
        Assert.Equal("relay", (await House.EventAsync(server, ProxyEventKind.Closed)).Connection!.Protocol);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_destination_may_end_first(string sockets)
    {
        await using Origin origin = Origin.Of(async socket =>
        {
            await Origin.SendAllAsync(socket, "hello"u8.ToArray());
            socket.Shutdown(SocketShutdown.Send);
            var buffer = new byte[100];
            int read = 0;
            while (read < 5) read += await socket.ReceiveAsync(buffer.AsMemory(read));
            Assert.Equal(0, await socket.ReceiveAsync(buffer));
        });
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync();
        AccessListener listener = await house.ListenAsync(origin.Endpoint, new ProxyChain(ProxyHop.Parse($"relay+ws://127.0.0.1:{server.LocalPort}")));
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        Assert.Equal("hello"u8.ToArray(), await client.ReadToEndAsync());
        await client.SendAsync("there");
        client.EndSending();
        await AssertQuietAsync(listener, server);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_hundred_megabytes_arrive_whole(string sockets)
    {
        const int Blocks = 100;
        byte[] block = RandomBytes.Of(1_000_000);
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync();
        AccessListener listener = await house.ListenAsync(origin.Endpoint, new ProxyChain(ProxyHop.Parse($"relay+ws://127.0.0.1:{server.LocalPort}")));
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        using var sent = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var received = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Task<long> reading = HashAsync(client, received);
        for (int i = 0; i < Blocks; i++)
        {
            block[i] ^= 0xFF;
            sent.AppendData(block);
            await client.SendAsync(block);
        }
        client.EndSending();
        Assert.Equal(Blocks * (long)block.Length, await reading.Within(60));
        Assert.Equal(sent.GetHashAndReset(), received.GetHashAndReset());
        await AssertQuietAsync(listener, server);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task It_runs_over_TLS_behind_an_http_proxy_and_between_other_hops(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        var key = ProxyKey.Create();
        ProxyServer corporate = await house.ProxyAsync(o => o with { Protocols = ProxyProtocols.Http });
        // with a key alone, HTTP is not proxied; the way in over WebSocket is there all the same
        ProxyServer far = await house.ProxyAsync(o => o with { Keys = [key], Certificate = Certificates.Localhost }), last = await house.ProxyAsync();
        string pin = Certificates.Localhost.GetCertHashString(HashAlgorithmName.SHA256);
        ProxyHop webSocket = ProxyHop.Parse($"relay+wss://127.0.0.1:{far.LocalPort}/relay?thumbprint={pin}") with { Key = key };
        var chain = new ProxyChain(corporate.ToHop(), webSocket, last.ToHop());
        AccessListener listener = await house.ListenAsync(origin.Endpoint, chain);
        using (Client client = await Client.ConnectAsync(listener.LocalPort))
        {
            await client.SendAsync("all the way");
            Assert.Equal("all the way"u8.ToArray(), await client.ReadAsync(11));
            client.EndSending();
            Assert.Empty(await client.ReadToEndAsync());
        }
        await AssertQuietAsync(listener, corporate, far, last);
        List<HopTestResult> results = await new ChainTester().TestAsync(chain, origin.Endpoint).ToListAsync();
        Assert.All(results, r => Assert.Equal((HopTestStatus.Ok, null), (r.Status, r.Error?.Message)));
        Assert.Equal(4, results.Count);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Hops_say_what_went_wrong(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync(), foreign = await house.ProxyAsync(o => o with { Protocols = ProxyProtocols.Http });
        int closed = Ports.Take();
        await AssertFailureAsync(
            house, $"relay+ws://127.0.0.1:{server.LocalPort}", new("127.0.0.1", closed), ProxyErrorReason.ConnectionRefused,
            $"destination 127.0.0.1:{closed}: connection refused, told by hop 1 (127.0.0.1:{server.LocalPort})");
        await AssertFailureAsync(
            house, $"relay+ws://127.0.0.1:{foreign.LocalPort}", new("127.0.0.1", closed), ProxyErrorReason.ProtocolError,
            $"hop 1 (127.0.0.1:{foreign.LocalPort}): does not speak WebSocket here: 400 Bad Request: this is a proxy, not a web server: ask for a whole http:// URI, or with CONNECT");
        await using Origin liar = WebOrigin.ByHand(async stream =>
        {
            await stream.ReadHeadAsync();
            await stream.SendAsync("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
        });
        await AssertFailureAsync(
            house, $"relay+ws://{liar.Endpoint}", new("127.0.0.1", closed), ProxyErrorReason.ProtocolError, $"hop 1 ({liar.Endpoint}): its WebSocket handshake is not valid");
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_stopped_server_breaks_the_connection_off(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync();
        AccessListener listener = await house.ListenAsync(origin.Endpoint, new ProxyChain(ProxyHop.Parse($"relay+ws://127.0.0.1:{server.LocalPort}")));
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("x");
        await client.ReadAsync(1);
        await server.StopAsync(TimeSpan.Zero).Within();
        await Assert.ThrowsAsync<SocketException>(() => client.ReadToEndAsync());
        Assert.Equal("destination side: connection reset", (await House.EventAsync(listener, ProxyEventKind.Failed)).Message);
    }

    [Theory]
    [InlineData("Origin: http://evil.example\r\n", 403, "web pages may not open WebSocket connections to this proxy")]
    [InlineData("Sec-WebSocket-Version: 8\r\n", 426, "the version of WebSocket is not 13")]
    [InlineData("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2hvcnQ=\r\n", 400, "Sec-WebSocket-Key is not 16 bytes in base64")]
    [InlineData("Sec-WebSocket-Version: 13\r\n", 400, "Sec-WebSocket-Key is not 16 bytes in base64")]
    public async Task Handshakes_that_are_refused(string fields, int status, string words)
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(server.LocalPort);
        WebResponse response = await client.AskAsync($"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{fields}\r\n");
        Assert.Equal((status, words + "\n"), (response.Status, response.Body));
        Assert.Equal(status == 426, response.Fields.Contains("Sec-WebSocket-Version: 13"));
    }

    [Fact]
    public async Task Where_only_relay_is_served_nothing_is_proxied()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync(o => o with { Protocols = ProxyProtocols.Relay });
        foreach (string request in new[] { "GET http://127.0.0.1:81/", "CONNECT 127.0.0.1:81" })
        {
            using WebClient client = await WebClient.ConnectAsync(server.LocalPort);
            WebResponse response = await client.AskAsync($"{request} HTTP/1.1\r\nHost: x\r\n\r\n");
            Assert.Equal((403, "HTTP is not among the protocols that this proxy serves\n"), (response.Status, response.Body));
        }
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_read_that_races_with_its_cancellation_loses_no_byte(string sockets)
    {
        await using var pair = new ConnectedPair(sockets);
        (DuplexConnection near, DuplexConnection far) = await OpenAsync(pair);
        await ReadRace.AssertLosesNothingAsync(near, far);
        near.Abort();
        await near.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task An_empty_read_waits_for_bytes_or_the_end_and_takes_none(string sockets)
    {
        await using var pair = new ConnectedPair(sockets);
        (DuplexConnection near, DuplexConnection far) = await OpenAsync(pair);
        for (int round = 0; round < 5; round++)
        {
            Task<int> waiting = near.ReadAsync(Memory<byte>.Empty, CancellationToken.None).AsTask();
            Assert.False(waiting.IsCompleted);
            await far.WriteAsync("ab"u8.ToArray(), CancellationToken.None);
            Assert.Equal(0, await waiting.Within());
            Assert.Equal(0, await near.ReadAsync(Memory<byte>.Empty, CancellationToken.None).Within());
            Assert.Equal("ab"u8.ToArray(), await ConnectedPair.ReadAsync(near, 2));
        }
        Task<int> end = near.ReadAsync(Memory<byte>.Empty, CancellationToken.None).AsTask();
        await far.CompleteWritesAsync(CancellationToken.None);
        Assert.Equal(0, await end.Within());
        Assert.Equal(0, await near.ReadAsync(new byte[1], CancellationToken.None).Within());
        Assert.Equal(0, await near.ReadAsync(new byte[1], CancellationToken.None).Within());
        await near.WriteAsync("late"u8.ToArray(), CancellationToken.None);
        await near.DisposeAsync();
        Assert.Equal("late"u8.ToArray(), await ConnectedPair.ReadToEndAsync(far));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_stream_that_is_cut_off_is_an_error(string sockets)
    {
        await using var pair = new ConnectedPair(sockets);
        (DuplexConnection near, DuplexConnection far, DuplexConnection farSocket) = await OpenWithSocketAsync(pair);
        await far.WriteAsync("ab"u8.ToArray(), CancellationToken.None);
        await farSocket.DisposeAsync();
        Assert.Equal("ab"u8.ToArray(), await ConnectedPair.ReadAsync(near, 2));
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => near.ReadAsync(new byte[1], CancellationToken.None).AsTask().Within());
        Assert.Equal((ProxyErrorReason.ConnectionReset, "the WebSocket connection broke: it ended without a close frame"), (error.Reason, error.Message));
        await Assert.ThrowsAsync<ProxyException>(async () => await near.WriteAsync(new byte[1], CancellationToken.None));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Abort_and_closing_fail_what_is_pending_and_what_comes(string sockets)
    {
        await using var pair = new ConnectedPair(sockets);
        foreach (bool abort in new[] { true, false })
        {
            (DuplexConnection near, DuplexConnection far) = await OpenAsync(pair);
            Task<int> read = near.ReadAsync(new byte[1], CancellationToken.None).AsTask();
            if (abort) near.Abort();
            else await near.DisposeAsync();
            await Assert.ThrowsAsync<ProxyException>(() => read.Within());
            await Assert.ThrowsAsync<ProxyException>(() => near.ReadAsync(new byte[1], CancellationToken.None).AsTask().Within());
            await Assert.ThrowsAsync<ProxyException>(async () => await near.WriteAsync(new byte[1], CancellationToken.None));
            if (abort) await Assert.ThrowsAsync<ProxyException>(() => ConnectedPair.ReadToEndAsync(far));
            else Assert.Empty(await ConnectedPair.ReadToEndAsync(far));
        }
    }

    private static async Task<(DuplexConnection Near, DuplexConnection Far)> OpenAsync(ConnectedPair pair)
    {
        (DuplexConnection near, DuplexConnection far, _) = await OpenWithSocketAsync(pair);
        return (near, far);
    }

    private static async Task<(DuplexConnection Near, DuplexConnection Far, DuplexConnection FarSocket)> OpenWithSocketAsync(ConnectedPair pair)
    {
        (DuplexConnection near, DuplexConnection far) = await pair.ConnectAsync();
        return (new WebSocketConnection(near, isServer: false), WebSocketTransport.Accept(far), far);
    }

    private static async Task<long> HashAsync(Client client, IncrementalHash hash)
    {
        var buffer = new byte[256 * 1024];
        long total = 0;
        int count;
        while ((count = await client.Socket.ReceiveAsync(buffer).Within(60)) > 0)
        {
            hash.AppendData(buffer, 0, count);
            total += count;
        }
        return total;
    }

    private static async Task AssertQuietAsync(AccessListener listener, params ProxyServer[] servers)
    {
        await House.QuietAsync(listener);
        Assert.Equal((0, 0), (listener.Counters.Failed, listener.Counters.Refused));
        foreach (ProxyServer server in servers)
        {
            await House.QuietAsync(server);
            Assert.Equal((0, 0), (server.Counters.Failed, server.Counters.Refused));
        }
    }

    private static async Task AssertFailureAsync(House house, string hop, HostEndpoint destination, ProxyErrorReason reason, string message)
    {
        AccessListener listener = await house.ListenAsync(destination, new ProxyChain(ProxyHop.Parse(hop)));
        await Client.AssertTurnedAwayAsync(listener.LocalPort);
        ProxyException error = (await House.EventAsync(listener, ProxyEventKind.Failed)).Connection!.LastError!;
        Assert.Equal((message, reason), (error.Message, error.Reason));
    }
}

using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Chains;

public class ChainTests
{
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Bytes_pass_three_hops_both_ways(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        (ProxyChain chain, ProxyServer[] servers) = await house.ChainAsync(3);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, chain);

        byte[] sent = RandomBytes.Of(3_000_000);
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        Task<byte[]> reading = client.ReadToEndAsync();
        await client.SendAsync(sent);
        client.EndSending();

        Assert.Equal(sent, await reading);
        await House.QuietAsync(listener);
        Assert.Equal((sent.Length, sent.Length), (listener.Counters.BytesSent, listener.Counters.BytesReceived));
        foreach (ProxyServer server in servers)
        {
            await House.QuietAsync(server);
            Assert.Equal(1, server.Counters.Accepted);
            Assert.Equal(0, server.Counters.Failed + server.Counters.Refused);
        }
        // the last hop relays the payload only
        Assert.Equal((sent.Length, sent.Length), (servers[2].Counters.BytesSent, servers[2].Counters.BytesReceived));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_stopped_hop_is_named_with_number_and_address(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        (ProxyChain chain, ProxyServer[] servers) = await house.ChainAsync(3);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, chain);
        int port = servers[1].LocalPort;
        await servers[1].StopAsync(TimeSpan.Zero).Within();

        await Client.AssertTurnedAwayAsync(listener.LocalPort);

        ProxyEvent failed = await House.EventAsync(listener, ProxyEventKind.Failed);
        Assert.Equal($"hop 2 (127.0.0.1:{port}): connection refused", failed.Message);
        Assert.Equal(ProxyErrorReason.ConnectionRefused, failed.Reason);
        Assert.Equal(2, failed.Connection!.LastError!.HopNumber);

        List<HopTestResult> results = await new ChainTester().TestAsync(chain, origin.Endpoint).ToListAsync();
        Assert.Equal([HopTestStatus.Ok, HopTestStatus.Failed, HopTestStatus.NotReached, HopTestStatus.NotReached], results.Select(r => r.Status));
        Assert.Equal($"hop 2 (127.0.0.1:{port}): connection refused", results[1].Error!.Message);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_stop_of_a_hop_ends_open_connections_at_once(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        (ProxyChain chain, ProxyServer[] servers) = await house.ChainAsync(3);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, chain);
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("x");
        await client.ReadAsync(1);

        await servers[1].StopAsync(TimeSpan.Zero).Within();

        Assert.True(await client.IsClosedAsync());
        ProxyEvent failed = await House.EventAsync(listener, ProxyEventKind.Failed);
        Assert.Equal("destination side: connection reset", failed.Message);
    }

    [Fact]
    public async Task Each_hop_is_probed_with_its_times()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Portable);
        var key = ProxyKey.Create();
        ProxyServer plain = await house.ProxyAsync(), keyed = await house.ProxyAsync(o => o with { Keys = [key] });
        var chain = new ProxyChain(plain.ToHop(), keyed.ToHop());

        List<HopTestResult> results = await new ChainTester().TestAsync(chain, origin.Endpoint).ToListAsync();

        Assert.Equal(["Hop", "Hop", "Destination"], results.Select(r => r.Kind));
        Assert.All(results, r => Assert.Equal(HopTestStatus.Ok, r.Status));
        Assert.All(results, r => Assert.NotNull(r.Dial));
        Assert.All(results.Take(2), r => Assert.True(r.RoundTrip > TimeSpan.Zero));
    }

    [Fact]
    public async Task A_direct_chain_tests_the_destination_alone()
    {
        await using Origin origin = Origin.Echo();
        HopTestResult only = Assert.Single(await new ChainTester().TestAsync(ProxyChain.Direct, origin.Endpoint).ToListAsync());
        Assert.Equal(("Destination", HopTestStatus.Ok), (only.Kind, only.Status));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Payload_follows_the_headers_before_the_chain_is_up(string sockets)
    {
        // a hop that shows what it received and never answers
        var received = new TaskCompletionSource<byte[]>();
        var seen = new List<byte>();
        await using Origin mute = Origin.Of(async socket =>
        {
            var buffer = new byte[4096];
            while (await socket.ReceiveAsync(buffer) is > 0 and var count)
            {
                seen.AddRange(buffer.AsSpan(0, count));
                if (seen.Count >= 47 + 5) received.TrySetResult([.. seen]);
            }
        });
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(new HostEndpoint("192.0.2.7", 443), new ProxyChain(ProxyHop.Parse($"relay://{mute.Endpoint}")));
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("early");

        byte[] bytes = await received.Task.Within();

        Assert.Equal("early"u8.ToArray(), bytes[^5..]);
        Assert.Equal(ConnectionState.Connecting, Assert.Single(listener.GetConnections()).State);
        await Deadline.Until(() => listener.Counters.BytesSent == 5, "the payload is counted");
    }

    [Fact]
    public void Chains_compose()
    {
        ProxyChain a = new(ProxyHop.Parse("relay://a:1")), b = new(ProxyHop.Parse("relay://b:2"), ProxyHop.Parse("relays://c:3"));
        Assert.Equal("relay://a:1 > relay://b:2 > relays://c:3", (a + b).ToString());
        Assert.Equal("relay://a:1 > relay://d:4", (a + ProxyHop.Parse("relay://d:4")).ToString());
        Assert.Equal("direct", ProxyChain.Direct.ToString());
    }

    [Fact]
    public void A_chain_has_at_most_32_hops() =>
        Assert.Contains("at most 32", Assert.Throws<FormatException>(() => new ProxyChain(Enumerable.Repeat(ProxyHop.Parse("relay://a:1"), 33))).Message, StringComparison.Ordinal);
}

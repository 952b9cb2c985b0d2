using System.Collections.Concurrent;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Chains.Pool;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Chains;

/// <summary>Chains whose hops are reached by channels of sessions that are kept to them.</summary>
public class SessionChainTests
{
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Bytes_pass_three_hops_over_sessions_both_ways(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        (ProxyChain chain, ProxyServer[] servers) = await ChainAsync(house, 3);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, chain);

        byte[] sent = RandomBytes.Of(3_000_000);
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        Task<byte[]> reading = client.ReadToEndAsync();
        await client.SendAsync(sent);
        client.EndSending();

        Assert.Equal(sent, await reading);
        await House.QuietAsync(listener);
        // the last hop relays the payload only
        Assert.Equal((sent.Length, sent.Length), (servers[2].Counters.BytesSent, servers[2].Counters.BytesReceived));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_the_first_connection_none_opens_a_socket(bool tls)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House("linux");
        (ProxyChain chain, ProxyServer[] servers) = await ChainAsync(house, 3, tls);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, chain);
        await ExchangeAsync(listener);
        await Parallel.ForEachAsync(Enumerable.Range(0, 1000), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (_, _) => await ExchangeAsync(listener));

        foreach (ProxyServer server in servers)
        {
            Assert.Equal(1, server.Counters.Accepted - server.Counters.Channels);
            Assert.Equal(1001, server.Counters.Channels);
            ProxySession session = Assert.Single(server.GetSessions());
            Assert.Equal((SessionDirection.Incoming, tls ? "tls" : "tcp", 1001), (session.Direction, session.Transport, session.OpenedChannels));
        }
        ProxySession own = Assert.Single(SessionPool.Shared.GetSessions(), s => s.Services.Contains(listener.Name));
        Assert.Equal((SessionDirection.Outgoing, $"127.0.0.1:{servers[0].LocalPort}", 1001), (own.Direction, own.Peer, own.OpenedChannels));
    }

    [Fact]
    public async Task A_connection_over_kept_sessions_is_set_up_in_one_round_trip_on_every_link()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House("linux");
        var taps = new Tap[3];
        var seen = new ConcurrentQueue<char>[3];
        var hops = new ProxyHop[3];
        for (int i = 0; i < 3; i++)
        {
            taps[i] = new Tap((await house.ProxyAsync()).LocalPort);
            var log = seen[i] = new ConcurrentQueue<char>();
            taps[i].OnBytes = (up, _, _) => log.Enqueue(up ? 'u' : 'd');
            hops[i] = ProxyHop.Parse($"relay+mux://127.0.0.1:{taps[i].Port}");
        }
        var connector = new ChainConnector(Dialer.Default, TimeProvider.System, new SessionPool());
        var chain = new ProxyChain(hops);
        await using DuplexConnection first = await ConnectAsync();
        foreach (ConcurrentQueue<char> log in seen) log.Clear();
        await using (await ConnectAsync()) Assert.All(seen, log => Assert.Equal("ud", Compress(log)));
        foreach (Tap tap in taps) await tap.DisposeAsync();

        Task<DuplexConnection> ConnectAsync() => connector.ConnectAsync(chain, TransportAddress.Tcp(origin.Endpoint), DestinationPolicy.AllowAll, default).Within();

        static string Compress(ConcurrentQueue<char> log) => string.Concat(log.Where((c, i) => i == 0 || log.ElementAt(i - 1) != c));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Channels_through_a_hop_that_breaks_fail_with_its_name_and_the_next_one_works_when_it_is_back(int broken)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House("linux");
        var servers = new ProxyServer[3];
        for (int i = 0; i < 3; i++) servers[i] = await house.ReturningProxyAsync();
        var chain = new ProxyChain(servers.Select(s => s.ToHop().Multiplexed()));
        AccessListener listener = await house.ListenAsync(origin.Endpoint, chain);
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("x");
        await client.ReadAsync(1);

        int port = servers[broken].LocalPort;
        // as a machine that dies: no end in order of its channels
        servers[broken].GetSessions()[0].Abort();
        await servers[broken].StopAsync(TimeSpan.Zero).Within();

        Assert.True(await client.IsClosedAsync());
        ProxyEvent failed = await House.EventAsync(listener, ProxyEventKind.Failed);
        Assert.StartsWith($"hop {broken + 1} (127.0.0.1:{port}): ", failed.Message, StringComparison.Ordinal);
        Assert.Equal(broken + 1, failed.Connection!.LastError!.HopNumber);

        await Client.AssertTurnedAwayAsync(listener.LocalPort);
        await Deadline.Until(() => listener.Events.ToList().Count(e => e.Kind == ProxyEventKind.Failed) == 2, "the failure of the second connection");
        Assert.Equal($"hop {broken + 1} (127.0.0.1:{port}): connection refused", listener.Events.ToList().Last(e => e.Kind == ProxyEventKind.Failed).Message);

        await house.ReturningProxyAsync(port);
        await ExchangeAsync(listener);
    }

    [Fact]
    public async Task Many_connections_at_once_share_the_one_session_that_is_being_begun()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House("linux");
        ProxyServer server = await house.ProxyAsync();
        AccessListener listener = await house.ListenAsync(origin.Endpoint, new ProxyChain(server.ToHop().Multiplexed()));
        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => ExchangeAsync(listener)));
        Assert.Equal((101, 100), (server.Counters.Accepted, server.Counters.Channels));
    }

    [Fact]
    public async Task A_second_session_is_begun_when_the_first_is_full_and_an_error_tells_when_all_are()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House("linux");
        ProxyServer server = await house.ProxyAsync();
        var hop = ProxyHop.Parse($"relay+mux://127.0.0.1:{server.LocalPort}?sessions=2&channels=3");
        AccessListener listener = await house.ListenAsync(origin.Endpoint, new ProxyChain(hop));
        var clients = new List<Client>();
        for (int i = 1; i <= 6; i++)
        {
            clients.Add(await Client.ConnectAsync(listener.LocalPort));
            await clients[^1].SendAsync("x");
            await clients[^1].ReadAsync(1);
            Assert.Equal(i <= 3 ? 1 : 2, server.GetSessions().Count);
        }
        await Client.AssertTurnedAwayAsync(listener.LocalPort);
        Assert.Equal(
            $"hop 1 (127.0.0.1:{server.LocalPort}): all 2 sessions to it have 3 channels each, which is as many as they may",
            (await House.EventAsync(listener, ProxyEventKind.Failed)).Message);

        clients[0].Dispose();
        await Deadline.Until(() => listener.Counters.Active == 5, "one connection has ended");
        await ExchangeAsync(listener);
        foreach (Client client in clients) client.Dispose();
    }

    [Fact]
    public async Task A_session_without_channels_is_closed_after_its_idle_time_and_told_of()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House("linux");
        ProxyServer server = await house.ProxyAsync();
        var hop = ProxyHop.Parse($"relay+mux://127.0.0.1:{server.LocalPort}?idle=1");
        AccessListener listener = await house.ListenAsync(origin.Endpoint, new ProxyChain(hop));
        await ExchangeAsync(listener);
        await Deadline.Until(() => server.GetSessions().Count == 0, "the idle session is closed");
        await Deadline.Until(() => Told(listener).Length == 2, "both events");
        Assert.Equal([$"session to hop 1 (127.0.0.1:{server.LocalPort}) begun", $"session to hop 1 (127.0.0.1:{server.LocalPort}) closed"], Told(listener));
        Assert.Equal(0, server.Counters.Failed);
        await ExchangeAsync(listener);
    }

    [Fact]
    public async Task Sessions_are_shared_by_services_and_closed_with_the_last_of_them()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House("linux");
        ProxyServer server = await house.ProxyAsync();
        var chain = new ProxyChain(server.ToHop().Multiplexed());
        AccessListener first = await house.ListenAsync(origin.Endpoint, chain), second = await house.ListenAsync(origin.Endpoint, chain);
        await ExchangeAsync(first);
        await ExchangeAsync(second);
        ProxySession session = Assert.Single(server.GetSessions());

        await first.StopAsync().Within();
        await ExchangeAsync(second);
        Assert.True(session.IsOpen);

        await second.StopAsync().Within();
        await Deadline.Until(() => !session.IsOpen, "the session is closed");
        Assert.Null(session.LastError);
    }

    [Fact]
    public async Task A_stop_of_the_server_closes_sessions_without_channels_at_once_and_the_others_when_those_are_done()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House("linux");
        ProxyServer server = await house.ProxyAsync();
        AccessListener listener = await house.ListenAsync(origin.Endpoint, new ProxyChain(server.ToHop().Multiplexed()));
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("x");
        await client.ReadAsync(1);

        Task stopping = server.StopAsync(TimeSpan.FromSeconds(30));
        await client.SendAsync("y");
        await client.ReadAsync(1);
        Assert.False(stopping.IsCompleted);
        client.EndSending();
        Assert.Empty(await client.ReadToEndAsync());
        await stopping.Within(10);
        Assert.Equal([], server.Events.ToList().Where(e => e.Kind == ProxyEventKind.Failed).Select(e => e.Message));
    }

    [Fact]
    public async Task Every_channel_brings_its_own_key()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House("linux");
        var key = ProxyKey.Create();
        ProxyServer server = await house.ProxyAsync(o => o with { Keys = [key] });
        AccessListener right = await house.ListenAsync(origin.Endpoint, new ProxyChain(server.ToHop().Multiplexed()));
        AccessListener wrong = await house.ListenAsync(origin.Endpoint, new ProxyChain(server.ToHop().Multiplexed() with { Key = ProxyKey.Create() }));
        AccessListener none = await house.ListenAsync(origin.Endpoint, new ProxyChain(server.ToHop().Multiplexed() with { Key = null }));
        await ExchangeAsync(right);
        await Client.AssertTurnedAwayAsync(wrong.LocalPort);
        await Client.AssertTurnedAwayAsync(none.LocalPort);
        Assert.Equal($"hop 1 (127.0.0.1:{server.LocalPort}): wrong key", (await House.EventAsync(wrong, ProxyEventKind.Failed)).Message);
        Assert.Equal($"hop 1 (127.0.0.1:{server.LocalPort}): a key is required", (await House.EventAsync(none, ProxyEventKind.Failed)).Message);
        Assert.Single(server.GetSessions());
        await ExchangeAsync(right);
    }

    [Fact]
    public async Task Limits_of_the_server_count_channels_as_connections()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House("linux");
        ProxyServer server = await house.ProxyAsync(o => o with { MaxConnectionsPerClient = 2 });
        AccessListener listener = await house.ListenAsync(origin.Endpoint, new ProxyChain(server.ToHop().Multiplexed()));
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("x");
        await client.ReadAsync(1);
        await Client.AssertTurnedAwayAsync(listener.LocalPort);
        Assert.Equal($"hop 1 (127.0.0.1:{server.LocalPort}): too many connections", (await House.EventAsync(listener, ProxyEventKind.Failed)).Message);
    }

    [Theory]
    [InlineData("relay+mux+ws")]
    [InlineData("relay+mux+wss")]
    [InlineData("relay+mux")]
    public async Task A_session_leads_through_hops_of_other_kinds(string scheme)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House("linux");
        ProxyServer socks = await house.ProxyAsync(), last = await house.ProxyAsync(o => scheme.EndsWith("wss", StringComparison.Ordinal) ? o with { Certificate = Certificates.Localhost } : o);
        var hop = ProxyHop.Parse($"{scheme}://127.0.0.1:{last.LocalPort}") with { Trust = last.ToHop().Trust };
        var chain = new ProxyChain(ProxyHop.Parse($"socks5://127.0.0.1:{socks.LocalPort}"), hop);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, chain);
        for (int i = 0; i < 20; i++) await ExchangeAsync(listener);
        Assert.Equal((1, 20), (socks.Counters.Accepted, last.Counters.Channels));
        Assert.Equal(scheme.Split('+')[^1].Replace("mux", "tcp", StringComparison.Ordinal), Assert.Single(last.GetSessions()).Transport);
    }

    [Fact]
    public async Task Datagrams_travel_in_a_channel()
    {
        await using DatagramOrigin origin = DatagramOrigin.Echo();
        await using var house = new House("linux");
        (ProxyChain chain, ProxyServer[] servers) = await ChainAsync(house, 2, change: o => o with { Udp = true });
        AccessListener listener = await house.ListenAsync(origin.Endpoint, chain, o => o with { Udp = true });
        using var client = new DatagramClient(listener.LocalPort);
        byte[] sent = RandomBytes.Of(1200);
        await client.AssertEchoAsync(sent);
        Assert.Equal((2, 1), (servers[1].Counters.Accepted, servers[1].Counters.Channels));
    }

    [Fact]
    public async Task A_test_of_the_chain_tells_which_sessions_were_there()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House("linux");
        (ProxyChain chain, _) = await ChainAsync(house, 3);
        List<HopTestResult> first = await new ChainTester().TestAsync(chain, origin.Endpoint).ToListAsync();
        Assert.All(first, result => Assert.Null(result.Error));
        Assert.Equal([SessionUse.New, SessionUse.New, SessionUse.New, SessionUse.None], first.Select(r => r.Session));
        List<HopTestResult> second = await new ChainTester().TestAsync(chain, origin.Endpoint).ToListAsync();
        Assert.Equal([SessionUse.Kept, SessionUse.Kept, SessionUse.Kept, SessionUse.None], second.Select(r => r.Session));
    }

    private static string[] Told(AccessListener listener) => [.. listener.Events.ToList().Where(e => e.Kind == ProxyEventKind.Session).Select(e => e.Message)];

    private static async Task<(ProxyChain Chain, ProxyServer[] Servers)> ChainAsync(House house, int hops, bool tls = false, Func<ProxyServerOptions, ProxyServerOptions>? change = null)
    {
        (ProxyChain chain, ProxyServer[] servers) = await house.ChainAsync(hops, o => (change ?? (p => p))(tls ? o with { Certificate = Certificates.Localhost } : o));
        return (new ProxyChain(servers.Select(s => s.ToHop().Multiplexed())), servers);
    }

    private static async Task ExchangeAsync(AccessListener listener)
    {
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        byte[] sent = RandomBytes.Of(100);
        await client.SendAsync(sent);
        client.EndSending();
        Assert.Equal(sent, await client.ReadToEndAsync());
    }
}

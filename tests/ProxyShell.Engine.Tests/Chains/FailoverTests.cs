using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Chains;

/// <summary>An alternate fails while a connection is set up: the client notices nothing.</summary>
public sealed class FailoverTests : IAsyncLifetime
{
    private readonly House _house = new(Sockets.Portable);
    private readonly Origin _origin = Origin.Echo();
    private readonly List<IAsyncDisposable> _origins = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _house.DisposeAsync();
        await _origin.DisposeAsync();
        foreach (IAsyncDisposable origin in _origins) await origin.DisposeAsync();
    }

    [Theory]
    [InlineData("nobody listens")]
    [InlineData("hangs up")]
    [InlineData("is something else")]
    [InlineData("has another key")]
    [InlineData("is full")]
    [InlineData("is not found")]
    [InlineData("is shut out")]
    public async Task The_next_alternate_takes_over_when_the_first(string fault)
    {
        ProxyHop broken = await BrokenAsync(fault);
        ProxyServer good = await _house.ProxyAsync();
        var group = Group(broken, good.ToHop());
        AccessListener listener = await _house.ListenAsync(_origin.Endpoint, new ProxyChain([group]));

        await AssertEchoAsync(listener);
        await AssertEchoAsync(listener);

        Assert.Equal(AlternateState.Down, group.Choice![0].State);
        Assert.Equal(AlternateState.Up, group.Choice[1].State);
        Assert.Equal((0, 0), (listener.Counters.Failed, listener.Counters.Refused));
        Assert.Equal($"relay://127.0.0.1:{good.LocalPort}", (await House.EventAsync(listener, ProxyEventKind.Closed)).Connection!.Chain);
    }

    [Fact]
    public async Task The_group_may_stand_anywhere()
    {
        (ProxyChain servers, ProxyServer[] all) = await _house.ChainAsync(4);
        ProxyHop dead = Dead();
        // the second alternate is a chain of its own
        var middle = new HopGroup([new HopAlternate([servers.Hops[1], dead]), new HopAlternate([servers.Hops[1], servers.Hops[2]])]);
        var last = Group(dead, servers.Hops[3]);
        AccessListener listener = await _house.ListenAsync(_origin.Endpoint, new ProxyChain(servers.Hops[0]) + middle + last);

        await AssertEchoAsync(listener);

        Assert.Equal(string.Join(" > ", servers.Hops.Select(hop => hop.Uri)), (await House.EventAsync(listener, ProxyEventKind.Closed)).Connection!.Chain);
        await House.QuietAsync(all[3]);
        Assert.Equal(1, await ServedAsync(all[3]));
    }

    [Fact]
    public async Task A_silent_alternate_takes_only_its_share_of_the_time()
    {
        var asked = new TaskCompletionSource();
        Origin silent = Silent(asked);
        ProxyServer good = await _house.ProxyAsync();
        var time = new ManualTime();
        var group = Group(Hop(silent), good.ToHop());
        // not a service, which would find out by a probe
        var client = new ChainClient(time) { ConnectTimeout = TimeSpan.FromSeconds(20) };

        Task<DuplexConnection> connecting = client.ConnectAsync(new ProxyChain([group]), _origin.Endpoint);
        // not only dialled: who cannot be reached in time is down
        await asked.Task.Within();
        await Deadline.Until(() => time.Timers == 2, "whole time and share run");
        time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.Equal(0, good.Counters.Accepted);
        time.Advance(TimeSpan.FromSeconds(0.1));
        await using DuplexConnection connection = await connecting.Within();

        Assert.Equal((AlternateState.Suspect, AlternateState.Up), (group.Choice![0].State, group.Choice[1].State));
        // the next connection does not wait for it again
        await using DuplexConnection next = await client.ConnectAsync(new ProxyChain([group]), _origin.Endpoint).Within();
        Assert.Equal(1, silent.Accepted);
    }

    [Fact]
    public async Task A_destination_that_refuses_is_asked_once()
    {
        ProxyServer first = await _house.ProxyAsync(), second = await _house.ProxyAsync();
        var group = Group(first.ToHop(), second.ToHop());
        AccessListener listener = await _house.ListenAsync(Dead().Address.Endpoint!, new ProxyChain([group]));

        await Client.AssertTurnedAwayAsync(listener.LocalPort);

        ProxyEvent failed = await House.EventAsync(listener, ProxyEventKind.Failed);
        Assert.EndsWith($"connection refused, told by hop 1 (127.0.0.1:{first.LocalPort})", failed.Message, StringComparison.Ordinal);
        Assert.Equal((1, 0), (await ServedAsync(first), await ServedAsync(second)));
        Assert.NotEqual(AlternateState.Down, group.Choice![0].State);
    }

    [Fact]
    public async Task A_destination_that_one_exit_forbids_is_not_smuggled_through_another()
    {
        ProxyServer strict = await _house.ProxyAsync(o => o with { DenyDestination = [DestinationPattern.Parse("127.0.0.0/8")] }), open = await _house.ProxyAsync();
        AccessListener listener = await _house.ListenAsync(_origin.Endpoint, new ProxyChain([Group(strict.ToHop(), open.ToHop())]));

        await Client.AssertTurnedAwayAsync(listener.LocalPort);

        Assert.Equal(ProxyErrorReason.Forbidden, (await House.EventAsync(listener, ProxyEventKind.Failed)).Reason);
        Assert.Equal((1, 0, 0), (await ServedAsync(strict), await ServedAsync(open), _origin.Accepted));
    }

    [Fact]
    public async Task A_destination_that_does_not_answer_is_tried_through_the_next()
    {
        using var deaf = new DeafListener();
        ProxyServer first = await _house.ProxyAsync(Hasty), second = await _house.ProxyAsync(Hasty);
        var group = Group(first.ToHop(), second.ToHop());
        AccessListener listener = await _house.ListenAsync(HostEndpoint.From(deaf.EndPoint), new ProxyChain([group]));

        await Client.AssertTurnedAwayAsync(listener.LocalPort);

        ProxyEvent failed = await House.EventAsync(listener, ProxyEventKind.Failed);
        Assert.Equal(
            $"destination {deaf.EndPoint}: no connection within 0.2 s, told by hop 1 (127.0.0.1:{second.LocalPort}); the last of 2 ways tried", failed.Message);
        // neither is to blame for it
        Assert.DoesNotContain(AlternateState.Down, group.Choice!.Snapshot(1).Select(health => health.State));

        static ProxyServerOptions Hasty(ProxyServerOptions options) => options with { ConnectTimeout = TimeSpan.FromMilliseconds(200) };
    }

    [Fact]
    public async Task When_all_fail_the_last_is_named_and_they_are_counted()
    {
        ProxyHop[] dead = [Dead(), Dead(), Dead()];
        AccessListener listener = await _house.ListenAsync(_origin.Endpoint, new ProxyChain([Group(dead)]));

        await Client.AssertTurnedAwayAsync(listener.LocalPort);

        ProxyEvent failed = await House.EventAsync(listener, ProxyEventKind.Failed);
        Assert.Equal($"hop 1 ({dead[2].Endpoint}): connection refused; the last of 3 ways tried", failed.Message);
        Assert.Equal((1, ProxyErrorReason.ConnectionRefused), (failed.Connection!.LastError!.HopNumber, failed.Reason));
    }

    [Fact]
    public async Task All_that_are_down_are_tried_and_the_one_that_is_back_serves()
    {
        ProxyServer back = await _house.ProxyAsync();
        var group = Group(Dead(), back.ToHop());
        var error = new ProxyException(ProxyErrorReason.ConnectionRefused, ProxyStage.Dial);
        for (int i = 0; i < 2; i++) group.Choice!.Failed(i, error, certain: true, TimeProvider.System);
        AccessListener listener = await _house.ListenAsync(_origin.Endpoint, new ProxyChain([group]));

        await AssertEchoAsync(listener);

        Assert.Equal(AlternateState.Up, group.Choice![1].State);
    }

    [Theory]
    [InlineData("hangs up")]
    [InlineData("is full")]
    [InlineData("reads and hangs up")]
    public async Task What_the_client_says_meanwhile_arrives_once(string fault)
    {
        byte[] sent = RandomBytes.Of(300_000);
        ProxyHop first = await BrokenAsync(fault), second = await BrokenAsync(fault);
        ProxyServer good = await _house.ProxyAsync();
        AccessListener listener = await _house.ListenAsync(_origin.Endpoint, new ProxyChain([Group(first, second, good.ToHop())]));

        // at once, so that it is there while the first alternates fail
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        Task<byte[]> reading = client.ReadToEndAsync();
        await client.SendAsync(sent);
        client.EndSending();

        Assert.Equal(sent, await reading);
        await House.QuietAsync(listener);
        Assert.Equal((sent.Length, sent.Length), (listener.Counters.BytesSent, listener.Counters.BytesReceived));
        await House.QuietAsync(good);
        Assert.Equal(sent.Length, good.Counters.BytesSent);
    }

    [Fact]
    public async Task Nothing_is_sent_ahead_while_there_is_another_alternate()
    {
        var heads = new List<int>();
        Origin hop = Keep(Origin.Of(async socket =>
        {
            var buffer = new byte[4096];
            int count, sum = 0;
            try
            {
                while (sum <= 47 && (count = await socket.ReceiveAsync(buffer)) > 0) sum += count;
            }
            finally
            {
                lock (heads) heads.Add(sum);
            }
        }));
        var time = new ManualTime();
        AccessListener listener = await _house.ListenAsync(
            new HostEndpoint("192.0.2.7", 443), new ProxyChain([Group(Hop(hop), Hop(hop))]), o => o with { TimeProvider = time });
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("early");
        Task<bool> closed = client.IsClosedAsync();
        await Deadline.Until(
            () =>
            {
                time.Advance(TimeSpan.FromMilliseconds(100));
                lock (heads) return heads.Count >= 2 && closed.IsCompleted;
            },
            "both are tried, and the client is told");
        Assert.True(await closed);

        // in any order; probes may have been there too
        lock (heads)
        {
            Assert.Contains(47, heads);
            Assert.Single(heads, 47 + 5);
        }
    }

    [Fact]
    public async Task The_payload_key_is_used_behind_whichever_alternate()
    {
        ProxyKey key = ProxyKey.Create();
        ProxyServer exit = await _house.ProxyAsync(o => o with { PayloadKeys = [key] });
        var chain = new ProxyChain([Group(Dead(), exit.ToHop())]) { PayloadKey = key };
        await AssertEchoAsync(await _house.ListenAsync(_origin.Endpoint, chain));
    }

    private async Task<ProxyHop> BrokenAsync(string fault)
    {
        switch (fault)
        {
            case "nobody listens": return Dead();
            case "hangs up": return Hop(Keep(Origin.Of(socket => Task.CompletedTask)));
            case "reads and hangs up": return Hop(Keep(Origin.Of(async socket => await socket.ReceiveAsync(new byte[47]))));
            case "is something else": return Hop(Keep(Origin.Of(async socket => await Origin.SendAllAsync(socket, "220 mail ready\r\n"u8.ToArray()))));
            case "has another key": return (await _house.ProxyAsync(o => o with { Keys = [ProxyKey.Create()] })).ToHop() with { Key = ProxyKey.Create() };
            case "is not found": return ProxyHop.Parse("relay://no-such-host.invalid:4100");
            case "is shut out": return ProxyHop.Parse("relay://224.0.0.1:4100");
            default:
                ProxyServer full = await _house.ProxyAsync(o => o with { MaxConnections = 1 });
                _origins.Add(new Holder(await Client.ConnectAsync(full.LocalPort)));
                await Deadline.Until(() => full.Counters.Active == 1, "it is full");
                return full.ToHop();
        }
    }

    private Origin Silent(TaskCompletionSource? asked = null) => Keep(Origin.Of(async socket =>
    {
        var buffer = new byte[1000];
        while (await socket.ReceiveAsync(buffer) > 0) asked?.TrySetResult();
    }));

    private Origin Keep(Origin origin)
    {
        _origins.Add(origin);
        return origin;
    }

    private static async Task AssertEchoAsync(AccessListener listener)
    {
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("hello");
        client.EndSending();
        Assert.Equal("hello"u8.ToArray(), await client.ReadToEndAsync());
        await House.QuietAsync(listener);
    }

    // connections but for probes
    private static async Task<int> ServedAsync(ProxyServer server)
    {
        await House.QuietAsync(server);
        return server.Events.ToList().Count(e => e.Kind is ProxyEventKind.Closed or ProxyEventKind.Failed or ProxyEventKind.Refused && e.Destination != "probe");
    }

    private static HopGroup Group(params ProxyHop[] hops) => new(hops.Select(hop => new HopAlternate(hop)));

    private static ProxyHop Hop(Origin origin) => ProxyHop.Parse($"relay://{origin.Endpoint}");

    // a port that was free a moment ago
    private static ProxyHop Dead()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ProxyHop.Parse($"relay://{socket.LocalEndPoint}");
    }

    private sealed class Holder(Client client) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            client.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

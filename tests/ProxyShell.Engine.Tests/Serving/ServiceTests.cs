using System.Net.Sockets;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Tests.Serving;

public class ServiceTests
{
    private static readonly HostEndpoint Anywhere = new("127.0.0.1", 9);

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_busy_port_is_an_error_that_names_it(string sockets)
    {
        await using var house = new House(sockets);
        AccessListener first = await house.ListenAsync(Anywhere);
        var second = new AccessListener(new AccessListenerOptions { Destination = Anywhere, LocalPort = first.LocalPort, Sockets = Sockets.Of(sockets) });

        ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => second.StartAsync());

        Assert.Equal(ProxyErrorReason.AddressInUse, error.Reason);
        Assert.Equal($"cannot listen on 127.0.0.1:{first.LocalPort}: the address is already in use; choose another port, or 0 for any free one", error.Message);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_stop_lets_open_connections_finish(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(origin.Endpoint);
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("a");
        await client.ReadAsync(1);

        Task stopping = listener.StopAsync(TimeSpan.FromSeconds(20));
        await Deadline.Until(() => Descriptors.IsPortFree(listener.LocalPort), "the port is given up");
        await client.SendAsync("b");
        Assert.Equal("b"u8.ToArray(), await client.ReadAsync(1));
        Assert.False(stopping.IsCompleted);
        client.Dispose();

        await stopping.Within();
        Assert.Equal(ServiceState.Stopped, listener.State);
        Assert.Equal(0, listener.Counters.Failed);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task After_the_grace_time_open_connections_are_aborted(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(origin.Endpoint);
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("a");
        await client.ReadAsync(1);

        await listener.StopAsync(TimeSpan.FromMilliseconds(50)).Within();

        Assert.True(await client.IsClosedAsync());
        ProxyEvent failed = await House.EventAsync(listener, ProxyEventKind.Failed);
        Assert.Equal((ProxyErrorReason.Stopping, "the service is stopping"), (failed.Reason, failed.Message));
    }

    [Fact]
    public async Task A_second_stop_hurries_the_first()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Portable);
        AccessListener listener = await house.ListenAsync(origin.Endpoint);
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await Deadline.Until(() => listener.Counters.Active == 1, "the connection is open");
        Task slow = listener.StopAsync(TimeSpan.FromHours(1));
        await listener.StopAsync(TimeSpan.Zero).Within();
        await slow.Within();
    }

    [Fact]
    public async Task A_service_can_be_stopped_before_it_starts()
    {
        await using var listener = new AccessListener(new AccessListenerOptions { Destination = Anywhere });
        await listener.StopAsync().Within();
        Assert.Equal(ServiceState.Stopped, listener.State);
        await listener.Completion.Within();
    }

    [Theory]
    [InlineData("*")]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    public async Task Strangers_are_not_let_in_by_accident(string address)
    {
        var open = new ProxyServer(new ProxyServerOptions { LocalAddress = address });
        FormatException error = await Assert.ThrowsAsync<FormatException>(() => open.StartAsync());
        Assert.Contains("give a key or a credential, listen on 127.0.0.1, or say AllowAnonymous", error.Message, StringComparison.Ordinal);

        await using var house = new House(Sockets.Portable);
        await house.ProxyAsync(o => o with { LocalAddress = address, Keys = [ProxyKey.Create()] });
        await house.ProxyAsync(o => o with { LocalAddress = address, AllowAnonymous = true });
    }

    [Fact]
    public async Task A_server_that_others_can_reach_guards_this_machine()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Portable);
        ProxyServer guarded = await house.ProxyAsync(o => o with { LocalAddress = "0.0.0.0", AllowAnonymous = true });
        ProxyServer told = await house.ProxyAsync(o => o with { LocalAddress = "0.0.0.0", AllowAnonymous = true, AllowDestination = [DestinationPattern.Parse("127.0.0.1")] });
        var tester = new Engine.Chains.ChainTester();

        var refused = await tester.TestAsync(new(guarded.ToHop()), origin.Endpoint).ToListAsync();
        Assert.Equal(ProxyErrorReason.Forbidden, refused[0].Status == Engine.Chains.HopTestStatus.Failed ? refused[0].Error!.Reason : refused[1].Error!.Reason);
        var allowed = await tester.TestAsync(new(told.ToHop()), origin.Endpoint).ToListAsync();
        Assert.All(allowed, r => Assert.Null(r.Error));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task An_idle_connection_is_ended_after_the_limit(string sockets)
    {
        var time = new ManualTime();
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, change: o => o with { IdleTimeout = TimeSpan.FromMinutes(1), TimeProvider = time });
        using Client idle = await Client.ConnectAsync(listener.LocalPort);
        using Client busy = await Client.ConnectAsync(listener.LocalPort);
        await Deadline.Until(() => listener.GetConnections().Count(c => c.State == ConnectionState.Open) == 2, "both are open");

        for (int i = 0; i < 20; i++)
        {
            await busy.SendAsync("x");
            await busy.ReadAsync(1);
            time.Advance(TimeSpan.FromSeconds(5));
        }

        Assert.True(await idle.IsClosedAsync());
        ProxyEvent ended = await House.EventAsync(listener, ProxyEventKind.Failed);
        Assert.Equal((ProxyErrorReason.IdleTimeout, "idle limit reached"), (ended.Reason, ended.Message));
        await busy.SendAsync("y");
        Assert.Equal("y"u8.ToArray(), await busy.ReadAsync(1));
    }

    [Fact]
    public async Task The_limit_of_connections_turns_away_and_recovers()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Portable);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, change: o => o with { MaxConnections = 2 });
        using Client first = await Client.ConnectAsync(listener.LocalPort), second = await Client.ConnectAsync(listener.LocalPort);
        await Deadline.Until(() => listener.Counters.Active == 2, "two are open");

        using Client third = await Client.ConnectAsync(listener.LocalPort);
        Assert.True(await third.IsClosedAsync());
        Assert.Equal(1, listener.Counters.Refused);
        Assert.Equal(ProxyErrorReason.LimitExceeded, (await House.EventAsync(listener, ProxyEventKind.Refused)).Reason);

        first.Dispose();
        await Deadline.Until(() => listener.Counters.Active == 1, "one is left");
        using Client fourth = await Client.ConnectAsync(listener.LocalPort);
        await fourth.SendAsync("z");
        Assert.Equal("z"u8.ToArray(), await fourth.ReadAsync(1));
    }

    [Fact]
    public async Task Subscribers_see_events_in_order_and_cannot_break_the_service()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Portable);
        var listener = new AccessListener(new AccessListenerOptions { Destination = origin.Endpoint });
        var seen = new List<ProxyEventKind>();
        listener.EventWritten += (_, _) => throw new InvalidOperationException("a subscriber's fault");
        listener.EventWritten += (_, e) =>
        {
            lock (seen) seen.Add(e.Kind);
        };
        await house.StartAsync(listener);
        using (Client client = await Client.ConnectAsync(listener.LocalPort))
        {
            await client.SendAsync("x");
            await client.ReadAsync(1);
        }
        await House.QuietAsync(listener);
        await listener.StopAsync().Within();
        await Deadline.Until(() => seen.Count == 4, "four events");
        Assert.Equal([ProxyEventKind.Started, ProxyEventKind.Opened, ProxyEventKind.Closed, ProxyEventKind.Stopped], seen);
    }

    [Fact]
    public async Task The_ring_keeps_the_newest_events()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Portable);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, change: o => o with { EventCapacity = 3 });
        for (int i = 0; i < 5; i++)
        {
            using Client client = await Client.ConnectAsync(listener.LocalPort);
            client.EndSending();
            await client.ReadToEndAsync();
        }
        await House.QuietAsync(listener);
        Assert.Equal(3, listener.Events.ToList().Count);
        Assert.Equal(11, listener.Events.TotalCount);
    }

    [Theory]
    [InlineData(-1, "LocalPort is '-1'; it must be 0 to 65535.")]
    [InlineData(70000, "LocalPort is '70000'; it must be 0 to 65535.")]
    public void Options_out_of_range_are_named(int port, string message) =>
        Assert.Equal(message, Assert.Throws<FormatException>(() => new ProxyServer(new ProxyServerOptions { LocalPort = port })).Message);

    [Fact]
    public void A_wrong_address_is_named() =>
        Assert.Equal(
            "LocalAddress is 'nowhere'; it must be an IP address of this machine, 'localhost', '*' or 'unix:/path'.",
            Assert.Throws<FormatException>(() => new ProxyServer(new ProxyServerOptions { LocalAddress = "nowhere" })).Message);
}

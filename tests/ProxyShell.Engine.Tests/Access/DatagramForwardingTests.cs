using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Tests.Access;

/// <summary>An access listener for UDP: flows begin with a datagram and end with silence, and are connections to everybody who looks.</summary>
public sealed class DatagramForwardingTests : IAsyncLifetime
{
    private readonly DatagramOrigin _origin = DatagramOrigin.Echo();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _origin.DisposeAsync();

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Datagrams_of_all_sizes_go_there_and_back(string sockets)
    {
        await using var house = new House(sockets);
        AccessListener listener = await ListenAsync(house);
        using var client = new DatagramClient(listener.LocalPort);
        foreach (int length in new[] { 0, 1, 1472, 9000, 65_507 }) await client.AssertEchoAsync(RandomBytes.Of(length));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Each_client_has_a_flow_that_is_a_connection(string sockets)
    {
        await using var house = new House(sockets);
        AccessListener listener = await ListenAsync(house);
        using DatagramClient first = new(listener.LocalPort), second = new(listener.LocalPort);
        await first.AssertEchoAsync("one");
        await second.AssertEchoAsync("two");
        await first.AssertEchoAsync("three");

        ProxyConnection[] flows = [.. listener.GetConnections().OrderBy(c => c.Id)];
        Assert.Equal([first.LocalEndPoint.ToString(), second.LocalEndPoint.ToString()], flows.Select(f => f.Client));
        Assert.All(flows, f => Assert.Equal(("udp", _origin.Endpoint.ToString(), "direct", ConnectionState.Open), (f.Protocol, f.Destination, f.Chain, f.State)));
        // a datagram is counted once it is sent: its echo, or its arrival, may be faster
        await Deadline.Until(
            () => (flows[0].BytesSent, flows[0].BytesReceived, flows[0].DatagramsSent, flows[0].DatagramsReceived) == (8, 8, 2, 2),
            "both datagrams and answers are counted");
        Assert.Equal(2, listener.Events.ToList().Count(e => e.Kind == ProxyEventKind.Opened));
        Assert.Equal($"udp://127.0.0.1:{listener.LocalPort}", listener.Uri);
        Assert.Contains(listener.Events.ToList(), e => e.Message == $"listening on 127.0.0.1:{listener.LocalPort} (UDP)");
    }

    [Fact]
    public async Task A_flow_ends_when_it_is_idle_and_the_next_datagram_begins_another()
    {
        var time = new ManualTime();
        await using var house = new House(Sockets.Portable);
        AccessListener listener = await ListenAsync(house, o => o with { TimeProvider = time, UdpIdleTimeout = TimeSpan.FromSeconds(30) });
        using var client = new DatagramClient(listener.LocalPort);
        await client.AssertEchoAsync("a");
        time.Advance(TimeSpan.FromSeconds(29));
        await client.AssertEchoAsync("b");
        time.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(1, listener.Counters.Active);
        time.Advance(TimeSpan.FromSeconds(4));
        await House.QuietAsync(listener);

        ProxyEvent closed = await House.EventAsync(listener, ProxyEventKind.Closed);
        Assert.Equal((ConnectionState.Closed, null), (closed.Connection!.State, closed.Connection.LastError));
        await client.AssertEchoAsync("c");
        Assert.Equal((2, 0), (listener.Counters.Accepted, listener.Counters.Failed));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_client_over_the_limit_is_turned_away(string sockets)
    {
        await using var house = new House(sockets);
        AccessListener listener = await ListenAsync(house, o => o with { MaxConnections = 1 });
        using DatagramClient first = new(listener.LocalPort), second = new(listener.LocalPort);
        await first.AssertEchoAsync("mine");
        second.Send("and mine");
        ProxyEvent refused = await House.EventAsync(listener, ProxyEventKind.Refused);
        Assert.StartsWith("the limit of 1 connections is reached", refused.Message, StringComparison.Ordinal);
        await first.AssertEchoAsync("still mine");
        listener.GetConnections()[0].Abort();
        await House.QuietAsync(listener);
        await second.AssertEchoAsync("mine now");
    }

    [Fact]
    public async Task Limits_by_address_hold_for_flows()
    {
        await using var house = new House(Sockets.Portable);
        AccessListener listener = await ListenAsync(house, o => o with { DenySource = [SourceNetwork.Parse("127.0.0.1")] });
        using var client = new DatagramClient(listener.LocalPort);
        client.Send("hello?");
        Assert.StartsWith("clients from 127.0.0.1 are not admitted", (await House.EventAsync(listener, ProxyEventKind.Refused)).Message, StringComparison.Ordinal);

        listener = await ListenAsync(house, o => o with { MaxConnectionsPerClient = 1 });
        using DatagramClient first = new(listener.LocalPort), second = new(listener.LocalPort);
        await first.AssertEchoAsync("a");
        second.Send("b");
        Assert.StartsWith("127.0.0.1 has reached the limit of 1 connections per client", (await House.EventAsync(listener, ProxyEventKind.Refused)).Message, StringComparison.Ordinal);
        listener.GetConnections()[0].Abort();
        await House.QuietAsync(listener);
        await second.AssertEchoAsync("c");
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_flow_can_be_stopped_by_its_record(string sockets)
    {
        await using var house = new House(sockets);
        AccessListener listener = await ListenAsync(house);
        using var client = new DatagramClient(listener.LocalPort);
        await client.AssertEchoAsync("a");
        listener.GetConnections()[0].Abort();
        ProxyEvent failed = await House.EventAsync(listener, ProxyEventKind.Failed);
        Assert.Equal(ProxyErrorReason.Aborted, failed.Reason);
        await House.QuietAsync(listener);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_destination_where_nobody_listens_fails_the_flow(string sockets)
    {
        await using var house = new House(sockets);
        HostEndpoint gone = Ports.TakeEndpoint();
        AccessListener listener = await ListenAsync(house, destination: gone);
        using var client = new DatagramClient(listener.LocalPort);
        client.Send("anybody?");
        ProxyEvent failed = await House.EventAsync(listener, ProxyEventKind.Failed);
        Assert.Equal(($"destination {gone}: connection refused", ProxyErrorReason.ConnectionRefused), (failed.Message, failed.Reason));
        await House.QuietAsync(listener);
    }

    [Fact]
    public async Task A_name_is_resolved_and_what_came_meanwhile_follows_in_order()
    {
        await using var house = new House(Sockets.Portable);
        AccessListener listener = await ListenAsync(house, destination: new HostEndpoint("localhost", _origin.Port), change: o => o with { Rules = [] });
        using var client = new DatagramClient(listener.LocalPort);
        for (int i = 0; i < 10; i++) client.Send($"{i}");
        for (int i = 0; i < 10; i++) Assert.Equal([(byte)('0' + i)], await client.ReceiveAsync());
    }

    [Fact]
    public async Task A_name_that_does_not_exist_fails_the_flow()
    {
        await using var house = new House(Sockets.Portable);
        AccessListener listener = await ListenAsync(house, destination: new HostEndpoint("no-such-host.invalid", 53));
        using var client = new DatagramClient(listener.LocalPort);
        client.Send("x");
        ProxyEvent failed = await House.EventAsync(listener, ProxyEventKind.Failed);
        Assert.Equal("destination no-such-host.invalid:53: name 'no-such-host.invalid' not found", failed.Message);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_stop_takes_silence_for_the_end_and_gives_up_the_port(string sockets)
    {
        await using var house = new House(sockets);
        AccessListener listener = await ListenAsync(house);
        using var client = new DatagramClient(listener.LocalPort);
        await client.AssertEchoAsync("a");
        await listener.StopAsync(TimeSpan.FromMinutes(5)).Within();
        Assert.Equal((ServiceState.Stopped, 0L), (listener.State, listener.Counters.Failed));
        using var again = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        again.Bind(new IPEndPoint(IPAddress.Loopback, listener.LocalPort));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task During_a_stop_open_flows_live_and_no_new_ones_begin(string sockets)
    {
        await using var house = new House(sockets);
        // the clock stands, so that no silence ends the flow
        AccessListener listener = await ListenAsync(house, o => o with { TimeProvider = new ManualTime() });
        using DatagramClient client = new(listener.LocalPort), late = new(listener.LocalPort);
        await client.AssertEchoAsync("a");
        Task stopping = listener.StopAsync(TimeSpan.FromMinutes(5));
        await client.AssertEchoAsync("b");
        late.Send("too late");
        await client.AssertEchoAsync("c");
        Assert.Equal(1, listener.Counters.Accepted);
        await listener.StopAsync(TimeSpan.Zero).Within();
        await stopping.Within();
        Assert.Equal(ProxyErrorReason.Stopping, (await House.EventAsync(listener, ProxyEventKind.Failed)).Reason);
    }

    [Fact]
    public async Task A_busy_port_is_an_error_that_names_it()
    {
        await using var house = new House(Sockets.Portable);
        var busy = new AccessListener(new AccessListenerOptions { Udp = true, Destination = _origin.Endpoint, LocalPort = _origin.Port });
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => busy.StartAsync());
        Assert.StartsWith($"cannot listen on UDP 127.0.0.1:{_origin.Port}: the address is already in use", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_that_mean_nothing_with_UDP_are_refused()
    {
        AccessListenerOptions options = new() { Udp = true, Destination = _origin.Endpoint };
        Assert.StartsWith("Udp needs a Destination", Refused(options with { Destination = null }), StringComparison.Ordinal);
        Assert.StartsWith("A Certificate is given", Refused(options with { Certificate = Certificates.Localhost }), StringComparison.Ordinal);
        Assert.StartsWith("LocalAddress is 'unix:/tmp/x'", Refused(options with { LocalAddress = "unix:/tmp/x" }), StringComparison.Ordinal);
        Assert.StartsWith("UdpIdleTimeout is '00:00:00'", Refused(options with { UdpIdleTimeout = TimeSpan.Zero }), StringComparison.Ordinal);

        static string Refused(AccessListenerOptions options) => Assert.Throws<FormatException>(() => new AccessListener(options)).Message;
    }

    [Fact]
    public async Task Strangers_are_not_served_unasked()
    {
        var open = new AccessListener(new AccessListenerOptions { Udp = true, Destination = _origin.Endpoint, LocalAddress = "0.0.0.0" });
        FormatException error = await Assert.ThrowsAsync<FormatException>(() => open.StartAsync());
        Assert.Contains("nothing authenticates them", error.Message, StringComparison.Ordinal);
    }

    private Task<AccessListener> ListenAsync(House house, Func<AccessListenerOptions, AccessListenerOptions>? change = null, HostEndpoint? destination = null) =>
        house.ListenAsync(destination ?? _origin.Endpoint, change: o => (change ?? (x => x))(o with { Udp = true }));
}

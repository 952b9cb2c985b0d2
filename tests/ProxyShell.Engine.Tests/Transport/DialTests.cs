using System.Net;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Transport;

/// <summary>Names with several addresses. 127.0.0.2 and on are this machine too, and nobody listens there.</summary>
public class DialTests
{
    private static readonly IPAddress Refusing = IPAddress.Parse("127.0.0.2");

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_next_address_is_tried_when_one_refuses(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using DuplexConnection connection = await RaceAsync(sockets, origin.Port, Refusing, IPAddress.Parse("127.0.0.3"), IPAddress.Loopback);
        await AssertEchoesAsync(connection);
        Assert.Equal(1, origin.Accepted);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task When_all_fail_the_first_failure_is_told(string sockets)
    {
        await using Origin origin = Origin.Echo();
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(
            () => RaceAsync(sockets, origin.Port, Refusing, IPAddress.Parse("224.0.0.1"), IPAddress.Parse("127.0.0.3")));
        Assert.Equal(ProxyErrorReason.ConnectionRefused, error.Reason);
        error = await Assert.ThrowsAsync<ProxyException>(() => RaceAsync(sockets, origin.Port, IPAddress.Parse("224.0.0.1"), Refusing));
        Assert.Equal(ProxyErrorReason.NetworkUnreachable, error.Reason);
    }

    [Fact]
    public async Task A_forbidden_name_is_not_resolved()
    {
        var dialer = new Dialer(SocketTransport.Default, NameResolver.Default);
        var policy = new DestinationPolicy([], [DestinationPattern.Parse("*.invalid")], guarded: false);
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => dialer.DialAsync(
            TransportAddress.Tcp(new HostEndpoint("no-such-host.invalid", 80)), policy, TlsTrust.System, null, null, default).AsTask());
        Assert.Equal((ProxyErrorReason.Forbidden, ProxyStage.Policy), (error.Reason, error.Stage));
    }

    // the deaf address and the good one share a port
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_silent_address_does_not_hold_up_the_next(string sockets)
    {
        using var deaf = new DeafListener();
        int port = deaf.EndPoint.Port;
        await using var good = new ConnectedPair(sockets, new IPEndPoint(Refusing, port));
        int before = Descriptors.Count();

        DuplexConnection connection = await RaceAsync(sockets, port, IPAddress.Loopback, Refusing);

        Assert.Equal(new IPEndPoint(Refusing, port), connection.RemoteEndPoint);
        await connection.DisposeAsync();
        await (await good.AcceptAsync()).DisposeAsync();
        await Deadline.Until(() => Descriptors.Count() <= before + 1, $"the loser is closed too: {before} descriptors before, {Descriptors.Count()} now");
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_race_ends_with_its_cancellation(string sockets)
    {
        using var deaf = new DeafListener();
        int port = deaf.EndPoint.Port;
        using var cancel = new CancellationTokenSource();
        Task<DuplexConnection> race = new DialRace(Sockets.Of(sockets), [IPAddress.Loopback, IPAddress.Loopback], port).RunAsync(cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => race.Within(5));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Localhost_is_found_where_it_listens(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using DuplexConnection connection = await DialAsync(sockets, TransportAddress.Tcp(new HostEndpoint("localhost", origin.Port)));
        await AssertEchoesAsync(connection);
    }

    [Theory]
    [InlineData("no-such-host.invalid")]
    [InlineData("a..b")]
    [InlineData("xn--a.invalid")]
    [InlineData("bücher.invalid")]
    [InlineData("-.invalid")]
    public async Task A_name_that_does_not_exist_is_told(string name)
    {
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => DialAsync(Sockets.Portable, TransportAddress.Tcp(new HostEndpoint(name, 80))));
        Assert.Equal((ProxyErrorReason.NameNotFound, ProxyStage.Resolve, $"name '{name}' not found"), (error.Reason, error.Stage, error.Message));
    }

    [Fact]
    public void Families_take_turns_in_the_order_of_the_first()
    {
        IPAddress[] resolved = [.. new[] { "2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1" }.Select(IPAddress.Parse)];
        Assert.Equal([resolved[0], resolved[3], resolved[1], resolved[2]], NameResolver.Interleave(resolved));
        Assert.Equal([resolved[3], resolved[0], resolved[1], resolved[2]], NameResolver.Interleave([resolved[3], .. resolved[..3]]));
        Assert.Equal([resolved[0]], NameResolver.Interleave([resolved[0]]));
    }

    private static Task<DuplexConnection> RaceAsync(string sockets, int port, params IPAddress[] addresses) =>
        new DialRace(Sockets.Of(sockets), addresses, port).RunAsync(CancellationToken.None).Within();

    private static Task<DuplexConnection> DialAsync(string sockets, TransportAddress address) =>
        new Dialer(Sockets.Of(sockets), new NameResolver()).DialAsync(address, DestinationPolicy.AllowAll, TlsTrust.System, null, null, CancellationToken.None).Within();

    private static async Task AssertEchoesAsync(DuplexConnection connection)
    {
        await connection.WriteAsync("x"u8.ToArray(), CancellationToken.None);
        Assert.Equal("x"u8.ToArray(), await ConnectedPair.ReadAsync(connection, 1));
    }
}

using System.Globalization;
using System.Net.Sockets;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Chains.Pool;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Tests.Protocols;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Chains;

/// <summary>How the pool keeps sessions, and what it does when they cannot be had or go silent.</summary>
public class SessionPoolTests
{
    [Theory]
    [InlineData(1, 1, "00:00:00.0000001", "00:00:01", null)]
    [InlineData(64, 4096, "24.00:00:00", "01:00:00", null)]
    [InlineData(8, 1000, "-00:00:00.001", "-00:00:00.001", null)]
    [InlineData(0, 1, "00:00:01", "00:00:01", "MaxSessions of sessions is '0'; it must be 1 to 64.")]
    [InlineData(65, 1, "00:00:01", "00:00:01", "MaxSessions of sessions is '65'; it must be 1 to 64.")]
    [InlineData(1, 0, "00:00:01", "00:00:01", "MaxChannels of sessions is '0'; it must be 1 to 4096.")]
    [InlineData(1, 4097, "00:00:01", "00:00:01", "MaxChannels of sessions is '4097'; it must be 1 to 4096.")]
    [InlineData(1, 1, "00:00:00", "00:00:01", "IdleTimeout of sessions is '00:00:00'; it must be more than 0 and at most 24 days.")]
    [InlineData(1, 1, "24.00:00:00.001", "00:00:01", "IdleTimeout of sessions is '24.00:00:00.0010000'; it must be more than 0 and at most 24 days.")]
    [InlineData(1, 1, "00:00:01", "00:00:00.999", "KeepAlive of sessions is '00:00:00.9990000'; it must be 1 second to 1 hour.")]
    [InlineData(1, 1, "00:00:01", "01:00:00.001", "KeepAlive of sessions is '01:00:00.0010000'; it must be 1 second to 1 hour.")]
    public void Values_out_of_their_range_are_refused(int sessions, int channels, string idle, string keepAlive, string? fault)
    {
        var pooling = new SessionPooling
        {
            MaxSessions = sessions, MaxChannels = channels, IdleTimeout = TimeSpan.Parse(idle, CultureInfo.InvariantCulture), KeepAlive = TimeSpan.Parse(keepAlive, CultureInfo.InvariantCulture),
        };
        Assert.Equal(fault, Record.Exception(pooling.Validate)?.Message);
        var server = new ProxyServerOptions { Sessions = pooling };
        Assert.Equal(fault, Record.Exception(server.Validate)?.Message);
    }

    [Fact]
    public void A_server_without_relay_clients_is_told_nothing_of_sessions()
    {
        var options = new ProxyServerOptions { Protocols = ProxyProtocols.Socks5, Sessions = new SessionPooling { MaxSessions = 2 } };
        Assert.StartsWith("How sessions are kept is said, but they are kept for relay clients", Assert.Throws<FormatException>(options.Validate).Message, StringComparison.Ordinal);
        (options with { Sessions = SessionPooling.Default }).Validate();
    }

    [Fact]
    public async Task A_hop_that_goes_silent_is_found_dead_within_the_keep_alive_time()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House("linux");
        await using var tap = new Tap((await house.ProxyAsync()).LocalPort);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, new ProxyChain(ProxyHop.Parse($"relay+mux://127.0.0.1:{tap.Port}?keepalive=1")));
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("x");
        await client.ReadAsync(1);
        ProxySession session = Assert.Single(SessionPool.Shared.GetSessions(), s => s.Services.Contains(listener.Name));
        await Deadline.Until(() => session.RoundTrip is not null, "the first sign of life is there");

        tap.IsSilent = true;
        long start = Environment.TickCount64;
        Assert.True(await client.IsClosedAsync());

        Assert.InRange(Environment.TickCount64 - start, 400, 10_000);
        string hop = $"hop 1 (127.0.0.1:{tap.Port})";
        ProxyEvent failed = await House.EventAsync(listener, ProxyEventKind.Failed);
        Assert.StartsWith($"{hop}: the peer was silent for 1", failed.Message, StringComparison.Ordinal);
        await Deadline.Until(() => listener.Events.ToList().Count(e => e.Kind == ProxyEventKind.Session) == 2, "the loss is told");
        Assert.Equal((ProxyErrorReason.TimedOut, ProxyErrorReason.TimedOut), (failed.Reason, session.LastError?.Reason));
        Assert.StartsWith($"session to {hop} lost with 1 channel: the peer was silent", (await House.EventAsync(listener, ProxyEventKind.Session)).Message, StringComparison.Ordinal);
        Assert.False(session.IsOpen);
    }

    // the system ends the connections of a process that is killed in order
    [Fact]
    public async Task A_peer_that_ends_its_connection_with_channels_open_is_lost_and_not_closed()
    {
        await using Origin peer = Origin.Of(AcceptAndEndAsync);
        await using var house = new House("linux");
        AccessListener listener = await house.ListenAsync(new HostEndpoint("h", 1), new ProxyChain(ProxyHop.Parse($"relay+mux://127.0.0.1:{peer.Port}")));
        await Client.AssertTurnedAwayAsync(listener.LocalPort);
        Assert.Equal($"hop 1 (127.0.0.1:{peer.Port}): the peer closed the session", (await House.EventAsync(listener, ProxyEventKind.Failed)).Message);
        await Deadline.Until(() => listener.Events.ToList().Count(e => e.Kind == ProxyEventKind.Session) == 2, "the loss is told");
        ProxyEvent lost = await House.EventAsync(listener, ProxyEventKind.Session);
        Assert.Equal(($"session to hop 1 (127.0.0.1:{peer.Port}) lost with 1 channel: the peer closed the session", ProxyErrorReason.ConnectionClosed), (lost.Message, lost.Reason));
    }

    private static async Task AcceptAndEndAsync(Socket socket)
    {
        var stream = new NetworkStream(socket);
        var request = new byte[RelayCodecTests.Written("request, clear, session").Length];
        await stream.ReadExactlyAsync(request);
        var answer = new byte[RelayResponseCodec.MaxWrittenLength];
        int length = RelayResponseCodec.Write(answer, new RelayResponse { Nonce = RelayRequestCodec.NonceOf(request), Salt = 0, Reason = ProxyErrorReason.None }, null);
        await stream.WriteAsync(answer.AsMemory(0, length));
        await using MultiplexedSession session = await MultiplexedSession.StartAsync(stream, new SessionOptions(), default);
        (await session.NextOfferAsync(default)).Accept();
    }

    [Fact]
    public async Task The_next_dial_waits_longer_after_every_failure()
    {
        var time = new ManualTime();
        var backOff = new BackOff(time);
        Assert.True(backOff.IsCalm && backOff.WaitAsync().IsCompleted);
        foreach (int wait in new[] { 50, 100, 200, 400, 800, 1000, 1000 })
        {
            backOff.Failed();
            Task waiting = backOff.WaitAsync();
            time.Advance(TimeSpan.FromMilliseconds(wait - 1));
            Assert.False(waiting.IsCompleted || backOff.IsCalm);
            time.Advance(TimeSpan.FromMilliseconds(1));
            await waiting.Within();
            Assert.True(backOff.IsCalm);
        }
        backOff.Succeeded();
        backOff.Failed();
        time.Advance(TimeSpan.FromMilliseconds(50));
        Assert.True(backOff.IsCalm);
    }

    [Fact]
    public async Task A_hop_that_refused_is_not_dialled_at_once_again()
    {
        var time = new ManualTime();
        var connector = new ChainConnector(Dialer.Default, time, new SessionPool(time));
        var chain = new ProxyChain(ProxyHop.Parse($"relay+mux://127.0.0.1:{Ports.Take()}"));
        await AssertRefusedAsync();

        // the clock stands still: the second waits until it goes on, the others with it
        Task[] next = [AssertRefusedAsync(), AssertRefusedAsync()];
        await Deadline.Until(() => time.Timers > 0, "the next attempt waits");
        Assert.All(next, task => Assert.False(task.IsCompleted));
        time.Advance(TimeSpan.FromMilliseconds(50));
        await Task.WhenAll(next).Within();

        async Task AssertRefusedAsync()
        {
            var error = await Assert.ThrowsAsync<ProxyException>(
                () => connector.ConnectAsync(chain, TransportAddress.Tcp(new HostEndpoint("h", 1)), DestinationPolicy.AllowAll, default).AsTask().Within());
            Assert.Equal((ProxyErrorReason.ConnectionRefused, 1), (error.Reason, error.HopNumber));
        }
    }

    [Theory]
    [InlineData(ProxyProtocols.Socks5)]
    [InlineData(ProxyProtocols.Http)]
    [InlineData(ProxyProtocols.Socks5 | ProxyProtocols.Http)]
    public async Task A_server_that_serves_no_relay_clients_says_so_when_asked_for_a_session(ProxyProtocols protocols)
    {
        await using var house = new House("linux");
        ProxyServer server = await house.ProxyAsync(o => o with { Protocols = protocols, HandshakeTimeout = TimeSpan.FromMilliseconds(300) });
        HopTestResult result = Assert.Single(await new ChainTester().TestAsync(new ProxyChain(ProxyHop.Parse($"relay+mux://127.0.0.1:{server.LocalPort}")), null).ToListAsync());
        Assert.Equal((HopTestStatus.Failed, SessionUse.None), (result.Status, result.Session));
        // by chance the random bytes of a header hold a line end, and an HTTP server answers
        Assert.Matches(
            $@"^hop 1 \(127\.0\.0\.1:{server.LocalPort}\): (its answer is not one of a relay proxy server.*|(connection reset instead of an answer|closed the connection without an answer); does it serve the relay protocol\?)$",
            result.Error!.Message);
    }
}

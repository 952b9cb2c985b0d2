using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Chains;

/// <summary>Each thing that can go wrong has its own reason, told by the hop at fault.</summary>
public sealed class RefusalTests : IAsyncLifetime
{
    private readonly House _house = new(Sockets.Portable);
    private readonly Origin _origin = Origin.Echo();
    private static readonly ProxyKey Key = ProxyKey.Create();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _house.DisposeAsync();
        await _origin.DisposeAsync();
    }

    [Fact]
    public async Task Destination_refused()
    {
        (ProxyChain chain, ProxyServer[] servers) = await _house.ChainAsync(3);
        int closed = Ports.Take();
        await AssertFailureAsync(
            chain, new HostEndpoint("127.0.0.1", closed), ProxyErrorReason.ConnectionRefused,
            $"destination 127.0.0.1:{closed}: connection refused, told by hop 3 (127.0.0.1:{servers[2].LocalPort})");
    }

    [Fact]
    public async Task Destination_unreachable()
    {
        (ProxyChain chain, ProxyServer[] servers) = await _house.ChainAsync(2);
        // TCP to a multicast address fails in the kernel: nothing leaves the machine
        await AssertFailureAsync(
            chain, new HostEndpoint("224.0.0.1", 80), ProxyErrorReason.NetworkUnreachable,
            $"destination 224.0.0.1:80: network unreachable, told by hop 2 (127.0.0.1:{servers[1].LocalPort})");
    }

    [Fact]
    public async Task Name_not_found()
    {
        (ProxyChain chain, ProxyServer[] servers) = await _house.ChainAsync(2);
        await AssertFailureAsync(
            chain, new HostEndpoint("no-such-host.invalid", 80), ProxyErrorReason.NameNotFound,
            $"destination no-such-host.invalid:80: name 'no-such-host.invalid' not found, told by hop 2 (127.0.0.1:{servers[1].LocalPort})");
    }

    [Fact]
    public async Task Destination_forbidden()
    {
        ProxyServer open = await _house.ProxyAsync(), closed = await _house.ProxyAsync(o => o with { DenyDestination = [DestinationPattern.Parse("127.0.0.0/8")] });
        await AssertFailureAsync(
            new ProxyChain(open.ToHop(), closed.ToHop()), _origin.Endpoint, ProxyErrorReason.Forbidden,
            $"hop 2 (127.0.0.1:{closed.LocalPort}): {_origin.Endpoint} is forbidden by its policy");
        await House.QuietAsync(closed);
        // once for the connection, once for the test of the chain
        Assert.Equal(2, closed.Counters.Refused);
    }

    [Fact]
    public async Task Time_out_of_a_dial()
    {
        using Socket deaf = FullBacklog();
        ProxyServer server = await _house.ProxyAsync(o => o with { ConnectTimeout = TimeSpan.FromMilliseconds(300) });
        int port = ((IPEndPoint)deaf.LocalEndPoint!).Port;
        await AssertFailureAsync(
            new ProxyChain(server.ToHop()), new HostEndpoint("127.0.0.1", port), ProxyErrorReason.TimedOut,
            $"destination 127.0.0.1:{port}: no connection within 0.3 s, told by hop 1 (127.0.0.1:{server.LocalPort})");
    }

    [Fact]
    public async Task Time_out_of_a_silent_hop()
    {
        await using Origin silent = Origin.Of(async socket => await socket.ReceiveAsync(new byte[1000]).ContinueWith(_ => Task.Delay(-1, new CancellationTokenSource(20_000).Token)).Unwrap());
        var chain = new ProxyChain(ProxyHop.Parse($"relay://{silent.Endpoint}"));
        HopTestResult result = (await ToListAsync(new ChainTester { Timeout = TimeSpan.FromMilliseconds(300) }, chain, _origin.Endpoint))[0];
        Assert.Equal($"hop 1 ({silent.Endpoint}): no answer in time", result.Error!.Message);
        Assert.Equal(ProxyErrorReason.TimedOut, result.Error.Reason);
    }

    [Fact]
    public async Task Wrong_key()
    {
        ProxyServer server = await _house.ProxyAsync(o => o with { Keys = [Key] });
        var chain = new ProxyChain(server.ToHop() with { Key = ProxyKey.Create() });
        await AssertFailureAsync(chain, _origin.Endpoint, ProxyErrorReason.AuthenticationFailed, $"hop 1 (127.0.0.1:{server.LocalPort}): wrong key");
        ProxyEvent refused = await House.EventAsync(server, ProxyEventKind.Refused);
        Assert.Equal(("client: wrong key", ProxyErrorReason.AuthenticationFailed), (refused.Message, refused.Reason));
    }

    [Fact]
    public async Task Missing_key()
    {
        ProxyServer server = await _house.ProxyAsync(o => o with { Keys = [Key] });
        var chain = new ProxyChain(server.ToHop() with { Key = null });
        await AssertFailureAsync(chain, _origin.Endpoint, ProxyErrorReason.AuthenticationFailed, $"hop 1 (127.0.0.1:{server.LocalPort}): a key is required");
    }

    [Fact]
    public async Task Key_for_a_server_without_keys()
    {
        ProxyServer server = await _house.ProxyAsync();
        var chain = new ProxyChain(server.ToHop() with { Key = Key });
        await AssertFailureAsync(
            chain, _origin.Endpoint, ProxyErrorReason.AuthenticationFailed,
            $"hop 1 (127.0.0.1:{server.LocalPort}): a key was used, but this proxy server has none");
    }

    [Fact]
    public async Task Second_of_two_keys_is_accepted()
    {
        var second = ProxyKey.Create();
        ProxyServer server = await _house.ProxyAsync(o => o with { Keys = [Key, second] });
        var results = await ToListAsync(new ChainTester(), new ProxyChain(server.ToHop() with { Key = second }), _origin.Endpoint);
        Assert.All(results, r => Assert.Equal(HopTestStatus.Ok, r.Status));
    }

    [Theory]
    [InlineData(-3600, "behind")]
    [InlineData(3600, "ahead")]
    public async Task Stale_clock(int seconds, string direction)
    {
        ProxyServer server = await _house.ProxyAsync(o => o with { Keys = [Key] });
        var skewed = new SkewedTime(TimeSpan.FromSeconds(seconds));
        List<HopTestResult> results = await ToListAsync(new ChainTester(skewed), new ProxyChain(server.ToHop()), _origin.Endpoint);
        Assert.Equal(ProxyErrorReason.ClockSkew, results[0].Error!.Reason);
        Assert.Matches($"^hop 1 \\(127\\.0\\.0\\.1:{server.LocalPort}\\): the client's clock is 3[56]\\d\\d\\.\\d s {direction}; at most 30 s are accepted$", results[0].Error!.Message);
    }

    [Fact]
    public async Task Replayed_header()
    {
        ProxyServer server = await _house.ProxyAsync(o => o with { Keys = [Key] });
        var request = new RelayRequest { Command = RelayCommand.Probe, Nonce = RandomNumberGenerator.GetHexString(8).Aggregate(UInt128.One, (n, c) => (n * 31) + c), Timestamp = DateTimeOffset.UtcNow };
        var header = new byte[1024];
        int length = RelayRequestCodec.Write(header, request, Key);

        Assert.Equal(ProxyErrorReason.None, (await ExchangeAsync(server, header.AsMemory(0, length), request.Nonce)).Reason);
        Assert.Equal(ProxyErrorReason.Replayed, (await ExchangeAsync(server, header.AsMemory(0, length), request.Nonce)).Reason);
        Assert.Equal("client: replayed header", (await House.EventAsync(server, ProxyEventKind.Refused)).Message);
    }

    [Fact]
    public async Task Limit_of_connections()
    {
        ProxyServer server = await _house.ProxyAsync(o => o with { MaxConnections = 1 });
        using Client holder = await Client.ConnectAsync(server.LocalPort);
        await Deadline.Until(() => server.Counters.Active == 1, "the first connection is counted");
        await AssertFailureAsync(new ProxyChain(server.ToHop()), _origin.Endpoint, ProxyErrorReason.LimitExceeded, $"hop 1 (127.0.0.1:{server.LocalPort}): too many connections");
    }

    [Fact]
    public async Task Something_that_is_no_relay()
    {
        await using Origin http = Origin.Of(async socket =>
        {
            await socket.ReceiveAsync(new byte[1000]);
            await Origin.SendAllAsync(socket, "HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray());
        });
        var chain = new ProxyChain(ProxyHop.Parse($"relay://{http.Endpoint}"));
        ProxyException error = await FailureAsync(chain, _origin.Endpoint);
        Assert.Equal(ProxyErrorReason.ProtocolError, error.Reason);
        Assert.StartsWith($"hop 1 ({http.Endpoint}): its answer is not one of a relay proxy server", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hop_that_hangs_up()
    {
        await using Origin rude = Origin.Of(async socket => await socket.ReceiveAsync(new byte[1000]));
        var chain = new ProxyChain(ProxyHop.Parse($"relay://{rude.Endpoint}"));
        await AssertFailureAsync(chain, _origin.Endpoint, ProxyErrorReason.ConnectionClosed, $"hop 1 ({rude.Endpoint}): closed the connection without an answer");
    }

    private async Task AssertFailureAsync(ProxyChain chain, HostEndpoint destination, ProxyErrorReason reason, string message)
    {
        ProxyException error = await FailureAsync(chain, destination);
        Assert.Equal(message, error.Message);
        Assert.Equal(reason, error.Reason);
    }

    // through an access listener, as users meet it; the chain test must say the same
    private async Task<ProxyException> FailureAsync(ProxyChain chain, HostEndpoint destination)
    {
        AccessListener listener = await _house.ListenAsync(destination, chain);
        await Client.AssertTurnedAwayAsync(listener.LocalPort);
        ProxyEvent failed = await House.EventAsync(listener, ProxyEventKind.Failed);
        List<HopTestResult> results = await ToListAsync(new ChainTester(), chain, destination);
        Assert.Equal(failed.Message, results.Single(r => r.Status == HopTestStatus.Failed).Error!.Message);
        return failed.Connection!.LastError!;
    }

    private static async Task<List<HopTestResult>> ToListAsync(ChainTester tester, ProxyChain chain, HostEndpoint destination) =>
        await tester.TestAsync(chain, destination).ToListAsync();

    private static async Task<RelayResponse> ExchangeAsync(ProxyServer server, ReadOnlyMemory<byte> header, UInt128 nonce)
    {
        using Client client = await Client.ConnectAsync(server.LocalPort);
        await client.SendAsync(header);
        client.EndSending();
        byte[] answer = await client.ReadToEndAsync();
        return RelayResponseCodec.Read(answer, nonce, Key, out string fault) ?? throw new InvalidDataException(fault);
    }

    // Linux drops the SYNs of a full backlog, so that a dial waits
    private static Socket FullBacklog()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(0);
        for (int i = 0; i < 4; i++) _ = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp).ConnectAsync(socket.LocalEndPoint!);
        return socket;
    }

    private sealed class SkewedTime(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }
}

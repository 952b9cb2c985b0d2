using System.Net.Sockets;
using System.Security.Cryptography;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Protocols.Socks;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Chains;

/// <summary>SOCKS5 servers as hops: alone, among relay hops, and with everything that can go wrong.</summary>
public sealed class SocksHopTests : IAsyncLifetime
{
    private static readonly ProxyCredential User = new("ann", "secret");

    private readonly Origin _origin = Origin.Echo();

    public static TheoryData<string, string> Mixes
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string sockets in Sockets.Kinds)
            {
                foreach (string mix in new[] { "s", "sr", "rs", "rsr", "ss", "rrsrr", "srs" }) data.Add(sockets, mix);
            }
            return data;
        }
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _origin.DisposeAsync();

    [Theory]
    [MemberData(nameof(Mixes))]
    public async Task Hops_of_both_kinds_make_a_chain(string sockets, string mix)
    {
        await using var house = new House(sockets);
        var servers = new List<ProxyServer>();
        foreach (char kind in mix)
        {
            servers.Add(await house.ProxyAsync(o => kind == 's'
                ? o with { Credentials = [User], Protocols = ProxyProtocols.Socks5 }
                : o with { Keys = [ProxyKey.Create()] }));
        }
        var chain = new ProxyChain(servers.Select(s => s.ToHop()));
        AccessListener listener = await house.ListenAsync(new HostEndpoint("localhost", _origin.Port), chain);
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        byte[] payload = RandomBytes.Of(2_000_000);
        Task sending = SendAsync(client, payload);
        Assert.Equal(SHA256.HashData(payload), SHA256.HashData(await client.ReadToEndAsync()));
        await sending;
        // the name came to the last hop as a name
        ProxyEvent closed = await House.EventAsync(servers[^1], ProxyEventKind.Closed);
        Assert.Equal($"localhost:{_origin.Port}", closed.Destination);
        List<HopTestResult> results = await new ChainTester().TestAsync(chain, _origin.Endpoint).ToListAsync();
        Assert.All(results, r => Assert.Equal(HopTestStatus.Ok, r.Status));
    }

    [Fact]
    public async Task Without_a_credential_none_is_offered()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync(o => o with { Protocols = ProxyProtocols.Socks5 });
        await using var tap = new Tap(server.LocalPort);
        AccessListener listener = await house.ListenAsync(_origin.Endpoint, new ProxyChain(ProxyHop.Parse($"socks5://127.0.0.1:{tap.Port}")));
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("x");
        await client.ReadAsync(1);
        Assert.Equal([5, 1, 0], tap.Seen[..3]);
    }

    [Fact]
    public async Task A_credential_is_shown_only_when_asked_for()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer open = await house.ProxyAsync(o => o with { Protocols = ProxyProtocols.Socks5 });
        await using var tap = new Tap(open.LocalPort);
        AccessListener listener = await house.ListenAsync(_origin.Endpoint, new ProxyChain(ProxyHop.Parse($"socks5://ann:secret@127.0.0.1:{tap.Port}")));
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("x");
        await client.ReadAsync(1);
        Assert.Equal([5, 2, 0, 2], tap.Seen[..4]);
        Assert.Equal(-1, tap.Seen.AsSpan().IndexOf("secret"u8));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task What_comes_right_behind_the_reply_is_kept(string sockets)
    {
        // the whole answer in one piece, with the destination's first words behind it
        await using Origin hop = Origin.Of(async socket =>
        {
            await socket.ReceiveAsync(new byte[3]);
            await Origin.SendAllAsync(socket, (byte[])[5, 0, 5, 0, 0, 3, 4, .. "name"u8, 0, 80, .. "welcome"u8]);
            await socket.ReceiveAsync(new byte[100]);
            socket.Shutdown(SocketShutdown.Send);
        });
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(_origin.Endpoint, new ProxyChain(ProxyHop.Parse($"socks5://{hop.Endpoint}")));
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        Assert.Equal("welcome"u8.ToArray(), await client.ReadToEndAsync());
    }

    [Theory]
    [InlineData("48 54 54 50 2F", ProxyErrorReason.ProtocolError, "its answer is not one of a SOCKS5 server")]
    [InlineData("05 FF", ProxyErrorReason.AuthenticationFailed, "demands a user name and password")]
    [InlineData("05 02", ProxyErrorReason.AuthenticationFailed, "demands a user name and password")]
    [InlineData("05 01", ProxyErrorReason.ProtocolError, "chose the method of authentication 1, which was not offered")]
    [InlineData("05", ProxyErrorReason.ConnectionClosed, "closed the connection without an answer")]
    [InlineData("05 00 04 5A 00 00 00 00 00 00", ProxyErrorReason.ProtocolError, "its reply begins with version 4, not 5")]
    [InlineData("05 00 05 00 00 02 00", ProxyErrorReason.ProtocolError, "its reply has the unknown address type 2")]
    [InlineData("05 00 05 01", ProxyErrorReason.Other, "answered with a general failure (SOCKS5 reply 1)")]
    [InlineData("05 00 05 02 00 01 00 00 00 00 00 00", ProxyErrorReason.Forbidden, "forbids the destination")]
    [InlineData("05 00 05 07 00 01 00 00 00 00 00 00", ProxyErrorReason.Unsupported, "does not support CONNECT")]
    [InlineData("05 00 05 08 00 01 00 00 00 00 00 00", ProxyErrorReason.Unsupported, "does not support this type of address")]
    [InlineData("05 00 05 2A 00 01 00 00 00 00 00 00", ProxyErrorReason.Other, "answered with the unknown SOCKS5 reply 42")]
    [InlineData("05 00 05 00 00 01 00 00", ProxyErrorReason.ConnectionClosed, "closed the connection without an answer")]
    public async Task What_a_hop_does_wrong_is_its_own_fault(string answer, ProxyErrorReason reason, string detail)
    {
        await using Origin hop = Answering(answer);
        ProxyException error = await FailureAsync(ProxyHop.Parse($"socks5://{hop.Endpoint}"), _origin.Endpoint);
        Assert.Equal(($"hop 1 ({hop.Endpoint}): {detail}", reason, 1), (error.Message, error.Reason, error.HopNumber));
    }

    [Theory]
    [InlineData(3, ProxyErrorReason.NetworkUnreachable, "network unreachable")]
    [InlineData(4, ProxyErrorReason.HostUnreachable, "host unreachable")]
    [InlineData(5, ProxyErrorReason.ConnectionRefused, "connection refused")]
    [InlineData(6, ProxyErrorReason.TimedOut, "timed out")]
    public async Task What_a_hop_cannot_reach_is_not_its_fault(byte code, ProxyErrorReason reason, string detail)
    {
        await using Origin hop = Answering($"05 00 05 {code:X2} 00 01 00 00 00 00 00 00");
        ProxyException error = await FailureAsync(ProxyHop.Parse($"socks5://{hop.Endpoint}"), _origin.Endpoint);
        Assert.Equal(($"destination {_origin.Endpoint}: {detail}, told by hop 1 ({hop.Endpoint})", reason, (int?)null), (error.Message, error.Reason, error.HopNumber));
        var chain = new ProxyChain(ProxyHop.Parse($"socks5://{hop.Endpoint}"), ProxyHop.Parse("relay://127.0.0.1:9"));
        error = await FailureAsync(chain, _origin.Endpoint);
        Assert.Equal(($"hop 2 (127.0.0.1:9): {detail}", reason, 2), (error.Message, error.Reason, error.HopNumber));
    }

    [Theory]
    [InlineData("ann", "wrong", "does not accept the user name and password of 'ann'")]
    [InlineData("eve", "secret", "does not accept the user name and password of 'eve'")]
    public async Task A_wrong_credential_is_told(string user, string password, string detail)
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync(o => o with { Credentials = [User] });
        ProxyException error = await FailureAsync(server.ToHop() with { Credential = new ProxyCredential(user, password) }, _origin.Endpoint);
        Assert.Equal(($"hop 1 (127.0.0.1:{server.LocalPort}): {detail}", ProxyErrorReason.AuthenticationFailed), (error.Message, error.Reason));
        error = await FailureAsync(server.ToHop() with { Credential = null }, _origin.Endpoint);
        Assert.Equal(($"hop 1 (127.0.0.1:{server.LocalPort}): demands a user name and password", ProxyErrorReason.AuthenticationFailed), (error.Message, error.Reason));
    }

    [Fact]
    public async Task A_hop_that_says_nothing_is_told_after_its_time()
    {
        await using Origin hop = Origin.Of(async socket =>
        {
            while (await socket.ReceiveAsync(new byte[100]) > 0)
            {
            }
        });
        await using var house = new House(Sockets.Portable);
        AccessListener listener = await house.ListenAsync(
            _origin.Endpoint, new ProxyChain(ProxyHop.Parse($"socks5://{hop.Endpoint}")), o => o with { ConnectTimeout = TimeSpan.FromMilliseconds(300) });
        await Client.AssertTurnedAwayAsync(listener.LocalPort);
        ProxyEvent failed = await House.EventAsync(listener, ProxyEventKind.Failed);
        Assert.Equal(($"hop 1 ({hop.Endpoint}): no answer in time", ProxyErrorReason.TimedOut), (failed.Message, failed.Reason));
    }

    [Fact]
    public async Task Names_too_long_for_SOCKS_are_told()
    {
        await using Origin hop = Answering("05 00");
        ProxyException error = await FailureAsync(ProxyHop.Parse($"socks5://{hop.Endpoint}"), new HostEndpoint(new string('ü', 200), 80));
        Assert.Equal(ProxyErrorReason.Unsupported, error.Reason);
        Assert.Contains("is longer than 255 bytes", error.Message, StringComparison.Ordinal);
    }

    private static Origin Answering(string hex) => Origin.Of(async socket =>
    {
        await socket.ReceiveAsync(new byte[100]);
        await Origin.SendAllAsync(socket, Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));
        socket.Shutdown(SocketShutdown.Send);
        while (await socket.ReceiveAsync(new byte[100]) > 0)
        {
        }
    });

    private static async Task SendAsync(Client client, byte[] payload)
    {
        await client.SendAsync(payload);
        client.EndSending();
    }

    private static Task<ProxyException> FailureAsync(ProxyHop hop, HostEndpoint destination) => FailureAsync(new ProxyChain(hop), destination);

    private static async Task<ProxyException> FailureAsync(ProxyChain chain, HostEndpoint destination)
    {
        await using var house = new House(Sockets.Portable);
        AccessListener listener = await house.ListenAsync(destination, chain);
        await Client.AssertTurnedAwayAsync(listener.LocalPort);
        return (await House.EventAsync(listener, ProxyEventKind.Failed)).Connection!.LastError!;
    }
}

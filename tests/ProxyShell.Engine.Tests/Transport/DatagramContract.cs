using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Transport;

/// <summary>What every kind of datagram sockets must do, as DatagramSocket promises it.</summary>
public abstract class DatagramContract(string sockets)
{
    private static readonly IPEndPoint Anywhere = new(IPAddress.Loopback, 0);

    private readonly SocketTransport _sockets = Sockets.Of(sockets);

    public static TheoryData<string> Addresses => TransportContract.HasIpv6Loopback() ? new("127.0.0.1", "::1") : new("127.0.0.1");

    [Theory]
    [MemberData(nameof(Addresses))]
    public async Task Datagrams_of_all_sizes_pass_whole(string address)
    {
        using DatagramSocket far = Bind(new DatagramLog { Echoes = true }, new IPEndPoint(IPAddress.Parse(address), 0));
        var log = new DatagramLog();
        using DatagramSocket near = Connect(far.LocalEndPoint, log);
        foreach (int length in new[] { 0, 1, 2, 512, 1472, 1473, 9000, 60_000, 65_506, 65_507 })
        {
            byte[] sent = RandomBytes.Of(length, seed: length);
            Assert.True(near.Send(sent.AsSpan(0, length / 3), sent.AsSpan(length / 3)), $"{length} bytes were not sent");
            (DatagramPeer from, byte[] bytes) = await log.NextAsync();
            Assert.Equal(sent, bytes);
            Assert.Equal(far.LocalEndPoint, from.ToEndPoint());
        }
    }

    [Fact]
    public async Task Each_comes_from_its_sender()
    {
        var log = new DatagramLog();
        using DatagramSocket far = Bind(log);
        using DatagramSocket first = Connect(far.LocalEndPoint), second = Connect(far.LocalEndPoint);
        foreach (DatagramSocket sender in new[] { first, second, first })
        {
            sender.Send(default, "x"u8);
            Assert.Equal(sender.LocalEndPoint, (await log.NextAsync()).From.ToEndPoint());
        }
    }

    [Fact]
    public async Task Many_at_once_come_in_order_with_their_heads()
    {
        var far = new DatagramLog { Answer = (socket, from, bytes) => socket.SendTo(from, "h"u8, bytes) };
        using DatagramSocket there = Bind(far);
        var log = new DatagramLog();
        using DatagramSocket near = Connect(there.LocalEndPoint, log);
        for (int i = 0; i < 5000; i += 50)
        {
            for (int j = i; j < i + 50; j++) Assert.True(near.Send(default, BitConverter.GetBytes(j)));
            for (int j = i; j < i + 50; j++) Assert.Equal(new byte[] { (byte)'h' }.Concat(BitConverter.GetBytes(j)), (await log.NextAsync()).Bytes);
        }
    }

    [Fact]
    public async Task Echoes_of_bursts_of_all_lengths_are_whole()
    {
        using DatagramSocket far = Bind(new DatagramLog { Echoes = true });
        var log = new DatagramLog();
        using DatagramSocket near = Connect(far.LocalEndPoint, log);
        var random = new Random(7);
        for (int round = 0; round < 60; round++)
        {
            // runs of equal lengths and of others, as they come
            byte[][] burst = [.. Enumerable.Range(0, 40).Select(i => RandomBytes.Of(random.Next(3) switch { 0 => 100, 1 => 1200, _ => random.Next(0, 4000) }, seed: (round * 100) + i))];
            foreach (byte[] bytes in burst) Assert.True(near.Send(default, bytes));
            foreach (byte[] bytes in burst) Assert.Equal(bytes, (await log.NextAsync()).Bytes);
        }
    }

    [Fact]
    public async Task One_that_is_too_long_for_the_receiver_is_dropped_and_counted()
    {
        var log = new DatagramLog();
        using DatagramSocket far = _sockets.BindDatagrams(Anywhere, maxLength: 100);
        far.Start(log);
        using DatagramSocket near = Connect(far.LocalEndPoint);
        near.Send(default, new byte[101]);
        near.Send(default, new byte[5000]);
        near.Send(default, new byte[100]);
        Assert.Equal(100, (await log.NextAsync()).Bytes.Length);
        Assert.Equal(2, far.Truncated);
        Assert.True(log.IsEmpty);
    }

    [Fact]
    public void One_that_is_too_long_to_send_is_not_sent()
    {
        using DatagramSocket far = Bind(new DatagramLog());
        using DatagramSocket near = Connect(far.LocalEndPoint);
        Assert.Equal(65_507, near.MaxPayload);
        Assert.False(near.Send(new byte[508], new byte[65_000]));
        Assert.False(far.SendTo(DatagramPeer.From(near.LocalEndPoint), default, new byte[65_508]));
    }

    [Fact]
    public async Task A_connected_socket_is_told_that_nobody_listens_and_goes_on()
    {
        using DatagramSocket gone = Bind(new DatagramLog());
        var log = new DatagramLog();
        using DatagramSocket near = Connect(gone.LocalEndPoint, log);
        gone.Dispose();
        near.Send(default, "anybody?"u8);
        Assert.Equal(SocketError.ConnectionRefused, await log.ErrorAsync());

        var late = new DatagramLog();
        using DatagramSocket again = Bind(late, gone.LocalEndPoint);
        near.Send(default, "now?"u8);
        Assert.Equal("now?"u8.ToArray(), (await late.NextAsync()).Bytes);
    }

    [Fact]
    public async Task A_bound_socket_does_not_care_that_somebody_has_gone()
    {
        var log = new DatagramLog();
        using DatagramSocket far = Bind(log);
        using DatagramSocket gone = Connect(far.LocalEndPoint), near = Connect(far.LocalEndPoint);
        gone.Dispose();
        for (int i = 0; i < 10; i++) far.SendTo(DatagramPeer.From(gone.LocalEndPoint), default, "x"u8);
        near.Send(default, "still there?"u8);
        Assert.Equal("still there?"u8.ToArray(), (await log.NextAsync()).Bytes);
    }

    [Fact]
    public async Task A_connected_socket_hears_nobody_else()
    {
        using DatagramSocket far = Bind(new DatagramLog { Echoes = true });
        var log = new DatagramLog();
        using DatagramSocket near = Connect(far.LocalEndPoint, log), stranger = Bind(new DatagramLog());
        stranger.SendTo(DatagramPeer.From(near.LocalEndPoint), default, "psst"u8);
        near.Send(default, "echo"u8);
        Assert.Equal("echo"u8.ToArray(), (await log.NextAsync()).Bytes);
        Assert.True(log.IsEmpty);
    }

    [Fact]
    public async Task All_addresses_include_IPv4_and_answer_it()
    {
        if (!Socket.OSSupportsIPv6) return;
        using DatagramSocket far = Bind(new DatagramLog { Echoes = true }, new IPEndPoint(IPAddress.IPv6Any, 0));
        var log = new DatagramLog();
        using DatagramSocket near = Connect(new IPEndPoint(IPAddress.Loopback, far.LocalEndPoint.Port), log);
        near.Send(default, "four"u8);
        (DatagramPeer from, byte[] bytes) = await log.NextAsync();
        Assert.Equal("four"u8.ToArray(), bytes);
        Assert.True(from.IsIPv4);
    }

    [Fact]
    public void A_busy_port_is_an_error_that_names_it()
    {
        using DatagramSocket first = Bind(new DatagramLog());
        ProxyException error = Assert.Throws<ProxyException>(() => _sockets.BindDatagrams(first.LocalEndPoint));
        Assert.Equal(ProxyErrorReason.AddressInUse, error.Reason);
        Assert.StartsWith($"cannot listen on UDP {first.LocalEndPoint}: the address is already in use", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_closed_socket_sends_nothing_and_gives_up_its_port()
    {
        using DatagramSocket far = Bind(new DatagramLog());
        DatagramPeer somewhere = DatagramPeer.From(far.LocalEndPoint);
        var log = new DatagramLog();
        DatagramSocket near = Bind(log);
        near.Dispose();
        near.Dispose();
        Assert.False(near.SendTo(somewhere, default, "x"u8));
        // a receive under way may hold it for a moment
        await Deadline.Until(() => TryBind(near.LocalEndPoint), "the port is free");
    }

    [Fact]
    public async Task It_may_be_closed_while_it_receives_and_sends()
    {
        using DatagramSocket flood = Bind(new DatagramLog());
        for (int i = 0; i < 30; i++)
        {
            DatagramSocket near = Bind(new DatagramLog { Echoes = true });
            DatagramPeer to = DatagramPeer.From(near.LocalEndPoint);
            Task sending = Task.Run(() =>
            {
                for (int j = 0; j < 200; j++) flood.SendTo(to, default, "flood"u8);
            });
            await Deadline.Until(() => sending.IsCompleted || Random.Shared.Next(50) == 0, "some are sent");
            near.Dispose();
            await sending.Within();
        }
    }

    private DatagramSocket Bind(IDatagramReceiver receiver, IPEndPoint? endpoint = null)
    {
        DatagramSocket socket = _sockets.BindDatagrams(endpoint ?? Anywhere);
        socket.Start(receiver);
        return socket;
    }

    private DatagramSocket Connect(IPEndPoint endpoint, IDatagramReceiver? receiver = null)
    {
        DatagramSocket socket = _sockets.ConnectDatagrams(endpoint, null);
        socket.Start(receiver ?? new DatagramLog());
        return socket;
    }

    private bool TryBind(IPEndPoint endpoint)
    {
        try
        {
            _sockets.BindDatagrams(endpoint).Dispose();
            return true;
        }
        catch (ProxyException)
        {
            return false;
        }
    }
}

using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Transport;

/// <summary>What every kind of sockets must do, as DuplexConnection and ConnectionListener promise it.</summary>
public abstract class TransportContract(string sockets)
{
    public static TheoryData<string> Families => Socket.OSSupportsIPv6 && HasIpv6Loopback() ? new("IPv4", "IPv6", "unix") : new("IPv4", "unix");

    [Theory]
    [MemberData(nameof(Families))]
    public async Task Bytes_pass_both_ways_at_once(string family)
    {
        using var folder = new ScratchFolder();
        await using var pair = new ConnectedPair(sockets, Endpoint(family, folder));
        (DuplexConnection near, DuplexConnection far) = await pair.ConnectAsync();
        byte[] there = RandomBytes.Of(10_000_000, seed: 1), back = RandomBytes.Of(10_000_000, seed: 2);

        Task<byte[]> nearReads = ConnectedPair.ReadToEndAsync(near), farReads = ConnectedPair.ReadToEndAsync(far);
        await Task.WhenAll(SendAsync(near, there), SendAsync(far, back)).Within();

        Assert.Equal(there, await farReads);
        Assert.Equal(back, await nearReads);

        static async Task SendAsync(DuplexConnection connection, byte[] bytes)
        {
            for (int at = 0; at < bytes.Length; at += 999_999)
                await connection.WriteAsync(bytes.AsMemory(at, Math.Min(999_999, bytes.Length - at)), CancellationToken.None);
            await connection.CompleteWritesAsync(CancellationToken.None);
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    public async Task An_end_one_way_leaves_the_other(string family)
    {
        using var folder = new ScratchFolder();
        await using var pair = new ConnectedPair(sockets, Endpoint(family, folder));
        (DuplexConnection near, DuplexConnection far) = await pair.ConnectAsync();

        await near.WriteAsync("last words"u8.ToArray(), CancellationToken.None);
        await near.CompleteWritesAsync(CancellationToken.None);
        Assert.Equal("last words"u8.ToArray(), await ConnectedPair.ReadToEndAsync(far));
        Assert.Equal(0, await far.ReadAsync(new byte[1], CancellationToken.None).Within());

        await far.WriteAsync("answer"u8.ToArray(), CancellationToken.None);
        await far.CompleteWritesAsync(CancellationToken.None);
        Assert.Equal("answer"u8.ToArray(), await ConnectedPair.ReadToEndAsync(near));
    }

    [Fact]
    public async Task Both_ends_know_their_addresses()
    {
        await using var pair = new ConnectedPair(sockets);
        (DuplexConnection near, DuplexConnection far) = await pair.ConnectAsync();
        Assert.Equal(pair.EndPoint, near.RemoteEndPoint);
        Assert.Equal(near.LocalEndPoint, far.RemoteEndPoint);
        Assert.Equal(pair.EndPoint, far.LocalEndPoint);
        Assert.NotEqual(0, ((IPEndPoint)pair.EndPoint).Port);
    }

    [Fact]
    public async Task All_addresses_include_IPv4()
    {
        if (!Socket.OSSupportsIPv6) return;
        await using var pair = new ConnectedPair(sockets, new IPEndPoint(IPAddress.IPv6Any, 0));
        await using DuplexConnection near = await Sockets.Of(sockets)
            .ConnectAsync(new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)pair.EndPoint).Port), CancellationToken.None).Within();
        DuplexConnection far = await pair.AcceptAsync();
        await far.WriteAsync(new byte[1], CancellationToken.None);
        Assert.Single(await ConnectedPair.ReadAsync(near, 1));
    }

    [Fact]
    public async Task An_empty_read_waits_for_bytes_and_takes_none()
    {
        await using var pair = new ConnectedPair(sockets);
        (DuplexConnection near, DuplexConnection far) = await pair.ConnectAsync();
        for (int round = 0; round < 20; round++)
        {
            Task<int> waiting = near.ReadAsync(Memory<byte>.Empty, CancellationToken.None).AsTask();
            Assert.False(waiting.IsCompleted);
            await far.WriteAsync("ab"u8.ToArray(), CancellationToken.None);
            Assert.Equal(0, await waiting.Within());
            Assert.Equal(0, await near.ReadAsync(Memory<byte>.Empty, CancellationToken.None).Within());
            Assert.Equal("ab"u8.ToArray(), await ConnectedPair.ReadAsync(near, 2));
        }
    }

    [Fact]
    public async Task An_empty_read_waits_for_the_end()
    {
        await using var pair = new ConnectedPair(sockets);
        (DuplexConnection near, DuplexConnection far) = await pair.ConnectAsync();
        Task<int> waiting = near.ReadAsync(Memory<byte>.Empty, CancellationToken.None).AsTask();
        Assert.False(waiting.IsCompleted);
        await far.CompleteWritesAsync(CancellationToken.None);
        Assert.Equal(0, await waiting.Within());
        Assert.Equal(0, await near.ReadAsync(new byte[1], CancellationToken.None).Within());
    }

    [Fact]
    public async Task What_comes_while_or_after_the_socket_was_emptied_is_found()
    {
        await using var pair = new ConnectedPair(sockets);
        (DuplexConnection near, DuplexConnection far) = await pair.ConnectAsync();
        byte[] sent = RandomBytes.Of(20_000);
        Task sending = Task.Run(async () =>
        {
            for (int at = 0; at < sent.Length; at++)
            {
                await near.WriteAsync(sent.AsMemory(at, 1), CancellationToken.None);
                // now and then the reader has taken all, and waits
                if (at % 64 == 0) await far.WriteAsync(new byte[1], CancellationToken.None);
                if (at % 64 == 0) await ConnectedPair.ReadAsync(near, 1);
            }
            await near.CompleteWritesAsync(CancellationToken.None);
        });
        var got = new List<byte>();
        var buffer = new byte[64];
        while (true)
        {
            int count = far.TryRead(buffer);
            if (count < 0 && got.Count % 2 == 0) await far.WaitToReadAsync(CancellationToken.None).Within();
            if (count < 0) count = await far.ReadAsync(buffer, CancellationToken.None).Within();
            if (count == 0) break;
            got.AddRange(buffer[..count]);
        }
        await sending.Within();
        Assert.Equal(sent, got);
    }

    [Fact]
    public async Task Bytes_put_back_come_first()
    {
        await using var pair = new ConnectedPair(sockets);
        (DuplexConnection near, DuplexConnection far) = await pair.ConnectAsync();
        await far.WriteAsync("def"u8.ToArray(), CancellationToken.None);
        near.Unread("?bc"u8.ToArray());
        // of what was put back a part is read, and put back again
        Assert.Equal("?"u8.ToArray(), await ConnectedPair.ReadAsync(near, 1));
        near.Unread("a"u8.ToArray());
        Assert.Equal(0, await near.ReadAsync(Memory<byte>.Empty, CancellationToken.None).Within());
        Assert.Equal("ab"u8.ToArray(), await ConnectedPair.ReadAsync(near, 2));
        Assert.Equal("cdef"u8.ToArray(), await ConnectedPair.ReadAsync(near, 4));
        near.Unread("g"u8.ToArray());
        Assert.Equal("g"u8.ToArray(), near.TakeUnread().ToArray());
        Assert.True(near.TakeUnread().IsEmpty);
    }

    [Fact]
    public async Task A_cancelled_read_takes_nothing()
    {
        await using var pair = new ConnectedPair(sockets);
        (DuplexConnection near, DuplexConnection far) = await pair.ConnectAsync();
        for (int round = 0; round < 50; round++)
        {
            using var cancel = new CancellationTokenSource();
            Task<int> read = near.ReadAsync(round % 2 == 0 ? new byte[10] : Memory<byte>.Empty, cancel.Token).AsTask();
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.Within());
        }
        await far.WriteAsync("still here"u8.ToArray(), CancellationToken.None);
        Assert.Equal("still here"u8.ToArray(), await ConnectedPair.ReadAsync(near, 10));
    }

    [Fact]
    public async Task A_read_that_races_with_its_cancellation_loses_no_byte()
    {
        await using var pair = new ConnectedPair(sockets);
        (DuplexConnection near, DuplexConnection far) = await pair.ConnectAsync();
        await ReadRace.AssertLosesNothingAsync(near, far);
    }

    [Fact]
    public async Task A_cancelled_write_leaves_the_other_direction_usable()
    {
        await using var pair = new ConnectedPair(sockets);
        (DuplexConnection near, DuplexConnection far) = await pair.ConnectAsync();
        using var cancel = new CancellationTokenSource();
        Task write = await ConnectedPair.FillAsync(near, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write.Within());

        await far.WriteAsync("answer"u8.ToArray(), CancellationToken.None);
        Assert.Equal("answer"u8.ToArray(), await ConnectedPair.ReadAsync(near, 6));
        near.Abort();
    }

    [Fact]
    public async Task A_cancelled_connect_ends_at_once()
    {
        using var deaf = new DeafListener();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Sockets.Of(sockets).ConnectAsync(deaf.EndPoint, new CancellationToken(canceled: true)).AsTask().Within());
        int before = Descriptors.Count();
        for (int i = 0; i < 20; i++)
        {
            using var cancel = new CancellationTokenSource();
            Task<DuplexConnection> connecting = Sockets.Of(sockets).ConnectAsync(deaf.EndPoint, cancel.Token).AsTask();
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting.Within(5));
        }
        await Deadline.Until(() => Descriptors.Count() <= before + 2, $"descriptors back to about {before}, now {Descriptors.Count()}");
    }

    [Theory]
    [MemberData(nameof(Families))]
    public async Task Abort_fails_what_is_pending_and_tells_the_other_side(string family)
    {
        using var folder = new ScratchFolder();
        await using var pair = new ConnectedPair(sockets, Endpoint(family, folder));
        (DuplexConnection near, DuplexConnection far) = await pair.ConnectAsync();
        Task<int> read = near.ReadAsync(new byte[1], CancellationToken.None).AsTask();
        Task write = await ConnectedPair.FillAsync(near);

        await Task.Run(near.Abort);

        Assert.Equal(ProxyErrorReason.ConnectionReset, (await Assert.ThrowsAsync<ProxyException>(() => read.Within())).Reason);
        Assert.Equal(ProxyErrorReason.ConnectionReset, (await Assert.ThrowsAsync<ProxyException>(() => write.Within())).Reason);
        // a Unix socket has no reset: its other side reads what was sent and then the end
        if (family != "unix") await Assert.ThrowsAsync<ProxyException>(() => ConnectedPair.ReadToEndAsync(far));
        else Assert.NotEmpty(await ConnectedPair.ReadToEndAsync(far));
    }

    [Fact]
    public async Task A_closed_connection_says_so_and_stays_closed()
    {
        await using var pair = new ConnectedPair(sockets);
        foreach (bool abort in new[] { true, false })
        {
            (DuplexConnection near, _) = await pair.ConnectAsync();
            if (abort) near.Abort();
            else await near.DisposeAsync();
            await Assert.ThrowsAsync<ProxyException>(() => near.ReadAsync(new byte[1], CancellationToken.None).AsTask().Within());
            await Assert.ThrowsAsync<ProxyException>(() => near.ReadAsync(Memory<byte>.Empty, CancellationToken.None).AsTask().Within());
            await Assert.ThrowsAsync<ProxyException>(() => near.WriteAsync(new byte[1], CancellationToken.None).AsTask().Within());
            await Assert.ThrowsAsync<ProxyException>(async () => await near.CompleteWritesAsync(CancellationToken.None));
            near.Abort();
            await near.DisposeAsync();
        }
    }

    // whoever reads and writes meanwhile gets the one kind of error that callers look for
    [Fact]
    public async Task Abort_may_come_from_anywhere_at_any_time()
    {
        await using var pair = new ConnectedPair(sockets);
        for (int round = 0; round < 300; round++)
        {
            (DuplexConnection near, DuplexConnection far) = await pair.ConnectAsync();
            Task reading = Task.Run(() => UntilFailureAsync(() => near.ReadAsync(new byte[100], CancellationToken.None).AsTask()));
            Task writing = Task.Run(() => UntilFailureAsync(() => near.WriteAsync(new byte[100], CancellationToken.None).AsTask()));
            Task echoing = Task.Run(() => UntilFailureAsync(async () =>
            {
                await far.WriteAsync(new byte[10], CancellationToken.None);
                await far.ReadAsync(new byte[1000], CancellationToken.None);
            }));
            await Task.WhenAll(Task.Run(near.Abort), Task.Run(near.Abort), Task.Run(async () => await near.DisposeAsync())).Within();
            await reading.Within();
            await writing.Within();
            far.Abort();
            await echoing.Within();
        }

        static async Task UntilFailureAsync(Func<Task> action)
        {
            try
            {
                while (true) await action();
            }
            catch (ProxyException)
            {
                // as promised
            }
        }
    }

    [Fact]
    public async Task What_was_written_before_closing_arrives()
    {
        await using var pair = new ConnectedPair(sockets);
        (DuplexConnection near, DuplexConnection far) = await pair.ConnectAsync();
        byte[] sent = RandomBytes.Of(100_000);
        await near.WriteAsync(sent, CancellationToken.None);
        await near.DisposeAsync();
        Assert.Equal(sent, await ConnectedPair.ReadToEndAsync(far));
    }

    [Fact]
    public async Task Writing_to_a_peer_that_is_gone_fails()
    {
        await using var pair = new ConnectedPair(sockets);
        (DuplexConnection near, DuplexConnection far) = await pair.ConnectAsync();
        far.Abort();
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(async () =>
        {
            while (true) await near.WriteAsync(new byte[1000], CancellationToken.None).AsTask().Within();
        });
        Assert.Equal((ProxyErrorReason.ConnectionReset, ProxyStage.Relay), (error.Reason, error.Stage));
    }

    [Fact]
    public async Task A_refused_connect_says_so()
    {
        EndPoint gone;
        await using (var pair = new ConnectedPair(sockets)) gone = pair.EndPoint;
        await AssertDialFailsAsync(gone, ProxyErrorReason.ConnectionRefused);
    }

    [Fact]
    public async Task A_Unix_socket_without_listener_refuses()
    {
        using var folder = new ScratchFolder();
        await AssertDialFailsAsync(new UnixDomainSocketEndPoint(folder.File("none")), ProxyErrorReason.ConnectionRefused);
        await AssertDialFailsAsync(new UnixDomainSocketEndPoint(folder.Write("ordinary", "text")), ProxyErrorReason.ConnectionRefused);
        using var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        dead.Bind(new UnixDomainSocketEndPoint(folder.File("dead")));
        await AssertDialFailsAsync(new UnixDomainSocketEndPoint(folder.File("dead")), ProxyErrorReason.ConnectionRefused);
    }

    [Fact]
    public async Task A_busy_address_says_so()
    {
        await using var pair = new ConnectedPair(sockets);
        ProxyException error = Assert.Throws<ProxyException>(() => Sockets.Of(sockets).Listen(pair.EndPoint));
        Assert.Equal((ProxyErrorReason.AddressInUse, ProxyStage.Listen), (error.Reason, error.Stage));
    }

    [Fact]
    public void A_foreign_address_says_so()
    {
        ProxyException error = Assert.Throws<ProxyException>(() => Sockets.Of(sockets).Listen(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 0)));
        Assert.Equal(ProxyErrorReason.AddressNotAvailable, error.Reason);
        Assert.Equal("cannot listen on 192.0.2.1:0: this machine does not have that address", error.Message);
    }

    [Fact]
    public async Task A_port_can_be_listened_on_again_at_once()
    {
        EndPoint endpoint;
        await using (var pair = new ConnectedPair(sockets))
        {
            endpoint = pair.EndPoint;
            (DuplexConnection near, DuplexConnection far) = await pair.ConnectAsync();
            // who ends first keeps the connection in TIME_WAIT
            await far.CompleteWritesAsync(CancellationToken.None);
            Assert.Empty(await ConnectedPair.ReadToEndAsync(near));
            await near.CompleteWritesAsync(CancellationToken.None);
            Assert.Empty(await ConnectedPair.ReadToEndAsync(far));
        }
        await using var again = new ConnectedPair(sockets, endpoint);
        await again.ConnectAsync();
    }

    [Fact]
    public async Task A_listener_can_close_while_clients_come()
    {
        for (int round = 0; round < 20; round++)
        {
            var pair = new ConnectedPair(sockets);
            using var stop = new CancellationTokenSource();
            Task[] clients = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    try
                    {
                        await using DuplexConnection near = await Sockets.Of(sockets).ConnectAsync(pair.EndPoint, CancellationToken.None);
                    }
                    catch (ProxyException)
                    {
                        // refused or reset: the listener is gone
                    }
                }
            }))];
            await pair.AcceptAsync();
            await pair.DisposeAsync();
            await stop.CancelAsync();
            await Task.WhenAll(clients).Within();
        }
    }

    private static EndPoint Endpoint(string family, ScratchFolder folder) => family switch
    {
        "IPv4" => new IPEndPoint(IPAddress.Loopback, 0),
        "IPv6" => new IPEndPoint(IPAddress.IPv6Loopback, 0),
        _ => new UnixDomainSocketEndPoint(folder.File("s")),
    };

    private async Task AssertDialFailsAsync(EndPoint endpoint, ProxyErrorReason reason)
    {
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => Sockets.Of(sockets).ConnectAsync(endpoint, CancellationToken.None).AsTask().Within());
        Assert.Equal((reason, ProxyStage.Dial, null), (error.Reason, error.Stage, error.Subject));
    }

    internal static bool HasIpv6Loopback()
    {
        try
        {
            using var probe = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
            probe.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

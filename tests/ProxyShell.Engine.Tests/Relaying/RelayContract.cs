using System.Net.Sockets;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Tests.Relaying;

/// <summary>What every relay must do, whichever sockets and pump it uses.</summary>
public abstract class RelayContract(string sockets)
{
    private protected House NewHouse() => new(sockets);

    [Fact]
    public async Task Half_close_lets_the_other_direction_live()
    {
        byte[] answer = RandomBytes.Of(20_000_000);
        await using Origin origin = Origin.AnswerAfterEnd(answer);
        await using House house = NewHouse();
        AccessListener listener = await house.ListenAsync(origin.Endpoint);

        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("question");
        client.EndSending();

        Assert.Equal(answer, await client.ReadToEndAsync());
        await House.QuietAsync(listener);
        Assert.Equal((8, answer.Length), (listener.Counters.BytesSent, listener.Counters.BytesReceived));
        ProxyEvent closed = await House.EventAsync(listener, ProxyEventKind.Closed);
        Assert.Equal(ConnectionState.Closed, closed.Connection!.State);
    }

    [Fact]
    public async Task The_destination_may_end_first()
    {
        var received = new TaskCompletionSource<int>();
        await using Origin origin = Origin.Of(async socket =>
        {
            socket.Shutdown(SocketShutdown.Send);
            int total = 0, count;
            while ((count = await socket.ReceiveAsync(new byte[1000])) > 0) total += count;
            received.SetResult(total);
        });
        await using House house = NewHouse();
        AccessListener listener = await house.ListenAsync(origin.Endpoint);

        using Client client = await Client.ConnectAsync(listener.LocalPort);
        Assert.Empty(await client.ReadToEndAsync());
        await client.SendAsync(new byte[5000]);
        client.EndSending();

        Assert.Equal(5000, await received.Task.Within());
    }

    [Fact]
    public async Task Every_size_arrives_whole_and_in_order()
    {
        await using Origin origin = Origin.Echo();
        await using House house = NewHouse();
        AccessListener listener = await house.ListenAsync(origin.Endpoint);
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        foreach (int size in new[] { 1, 2, 1000, 4096, 16384, 32767, 32768, 32769, 65536, 100_000, 262_144, 262_145, 1_000_003, 1, 40_000, 7 })
        {
            byte[] sent = RandomBytes.Of(size, seed: size);
            Task sending = client.SendAsync(sent);
            Assert.Equal(sent, await client.ReadAsync(size));
            await sending;
        }
    }

    [Fact]
    public async Task A_slow_reader_gets_everything()
    {
        byte[] answer = RandomBytes.Of(4_000_000);
        await using Origin origin = Origin.AnswerAfterEnd(answer);
        await using House house = NewHouse();
        AccessListener listener = await house.ListenAsync(origin.Endpoint);
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        client.Socket.ReceiveBufferSize = 64 * 1024;
        client.EndSending();

        var got = new MemoryStream();
        var random = new Random(3);
        while (true)
        {
            // tiny reads with turns given away keep the sink full most of the time
            var part = new byte[random.Next(1, 20_000)];
            int count = await client.Socket.ReceiveAsync(part).Within();
            if (count == 0) break;
            got.Write(part, 0, count);
            if (random.Next(50) == 0) await Task.Delay(1);
        }
        Assert.Equal(answer, got.ToArray());
    }

    [Fact]
    public async Task A_client_that_resets_resets_the_destination()
    {
        var outcome = new TaskCompletionSource<SocketError>();
        await using Origin origin = Origin.Of(async socket =>
        {
            try
            {
                while (await socket.ReceiveAsync(new byte[100]) > 0)
                {
                }
                outcome.SetResult(SocketError.Success);
            }
            catch (SocketException e)
            {
                outcome.SetResult(e.SocketErrorCode);
            }
        });
        await using House house = NewHouse();
        AccessListener listener = await house.ListenAsync(origin.Endpoint);
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("x");
        await House.EventAsync(listener, ProxyEventKind.Opened);
        await Deadline.Until(() => listener.Counters.BytesSent == 1, "the byte is through");

        client.Reset();

        Assert.Equal(SocketError.ConnectionReset, await outcome.Task.Within());
        ProxyEvent failed = await House.EventAsync(listener, ProxyEventKind.Failed);
        Assert.Equal("client side: connection reset", failed.Message);
        Assert.Equal(ProxySide.Client, failed.Connection!.LastError!.Side);
    }

    [Fact]
    public async Task A_destination_that_resets_resets_the_client()
    {
        await using Origin origin = Origin.Of(async socket =>
        {
            await socket.ReceiveAsync(new byte[1]);
            socket.LingerState = new LingerOption(true, 0);
            socket.Close();
        });
        await using House house = NewHouse();
        AccessListener listener = await house.ListenAsync(origin.Endpoint);
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("x");

        SocketException error = await Assert.ThrowsAsync<SocketException>(() => client.Socket.ReceiveAsync(new byte[1]).Within());
        Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
        Assert.Equal("destination side: connection reset", (await House.EventAsync(listener, ProxyEventKind.Failed)).Message);
    }

    [Fact]
    public async Task A_reset_after_the_clients_end_is_noticed()
    {
        await using Origin origin = Origin.Of(async socket =>
        {
            while (await socket.ReceiveAsync(new byte[100]) > 0)
            {
            }
            await Task.Delay(20_000);
        });
        await using House house = NewHouse();
        AccessListener listener = await house.ListenAsync(origin.Endpoint);
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("x");
        client.EndSending();
        await Deadline.Until(() => listener.Counters.BytesSent == 1, "the byte is through");

        client.Reset();

        // on .NET's own sockets this shows only at the next write, so the portable relay waits for its idle limit
        if (sockets == Sockets.Linux) Assert.Equal(ProxySide.Client, (await House.EventAsync(listener, ProxyEventKind.Failed)).Connection!.LastError!.Side);
    }

    [Fact]
    public async Task A_reset_in_the_same_moment_as_the_clients_end_is_noticed()
    {
        await using Origin origin = Origin.Of(async socket =>
        {
            while (await socket.ReceiveAsync(new byte[100]) > 0)
            {
            }
            await Task.Delay(20_000);
        });
        await using House house = NewHouse();
        AccessListener listener = await house.ListenAsync(origin.Endpoint);
        const int Rounds = 30;
        for (int round = 1; round <= Rounds; round++)
        {
            using Client client = await Client.ConnectAsync(listener.LocalPort);
            await client.SendAsync("x");
            await Deadline.Until(() => listener.Counters.BytesSent == round, "the byte is through");
            client.EndSending();
            client.Reset();
        }

        if (sockets == Sockets.Linux) await Deadline.Until(() => listener.Counters.Failed == Rounds, $"{Rounds} failures, not {listener.Counters.Failed}");
    }

    [Fact]
    public async Task Aborting_ends_both_sides_while_traffic_flows()
    {
        await using Origin origin = Origin.Of(async socket =>
        {
            while (true) await socket.SendAsync(new byte[100_000]);
        });
        await using House house = NewHouse();
        AccessListener listener = await house.ListenAsync(origin.Endpoint);
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await Deadline.Until(() => listener.Counters.BytesReceived > 200_000, "traffic flows");

        ProxyConnection connection = Assert.Single(listener.GetConnections());
        connection.Abort();

        ProxyEvent failed = await House.EventAsync(listener, ProxyEventKind.Failed);
        Assert.Equal((ProxyErrorReason.Aborted, "stopped by the operator"), (failed.Reason, failed.Message));
        await House.QuietAsync(listener);
    }

    [Fact]
    public async Task Urgent_data_does_not_stall_the_stream()
    {
        await using Origin origin = Origin.Echo();
        await using House house = NewHouse();
        AccessListener listener = await house.ListenAsync(origin.Endpoint);
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        for (int round = 0; round < 50; round++)
        {
            await client.SendAsync("ab");
            client.Socket.Send("!"u8, SocketFlags.OutOfBand);
            await client.SendAsync("cd");
            Assert.Equal("abcd"u8.ToArray(), await client.ReadAsync(4));
        }
    }

    [Fact]
    public async Task Many_short_connections_leave_nothing_behind()
    {
        await using Origin origin = Origin.Echo();
        await using House house = NewHouse();
        AccessListener listener = await house.ListenAsync(origin.Endpoint);
        await ChurnAsync(listener, 200);
        int before = Descriptors.Count();

        const int total = 5000;
        await ChurnAsync(listener, total);

        await House.QuietAsync(listener);
        Assert.Equal(total + 200, listener.Counters.Accepted);
        Assert.Equal(0, listener.Counters.Failed + listener.Counters.Refused);
        Assert.Equal((total + 200) * 10L, listener.Counters.BytesSent);
        Assert.Equal((total + 200) * 10L, listener.Counters.BytesReceived);
        await Deadline.Until(() => Descriptors.Count() <= before + 40, $"descriptors back to about {before}, now {Descriptors.Count()}");
    }

    private static async Task ChurnAsync(AccessListener listener, int total)
    {
        int left = total;
        await Task.WhenAll(Enumerable.Range(0, 200).Select(async _ =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                using Client client = await Client.ConnectAsync(listener.LocalPort);
                await client.SendAsync("0123456789");
                client.EndSending();
                Assert.Equal(10, (await client.ReadToEndAsync()).Length);
            }
        })).Within(120);
    }

    [Fact]
    public async Task Idle_connections_are_held()
    {
        await using Origin origin = Origin.Echo();
        await using House house = NewHouse();
        AccessListener listener = await house.ListenAsync(origin.Endpoint);
        int before = Descriptors.Count();
        Client[] clients = await Task.WhenAll(Enumerable.Range(0, 2000).Select(_ => Client.ConnectAsync(listener.LocalPort))).Within(60);
        foreach (Client client in clients)
        {
            await client.SendAsync("x");
            await client.ReadAsync(1);
        }
        Assert.Equal(2000, listener.Counters.Active);
        foreach (Client client in clients) client.Dispose();
        await House.QuietAsync(listener);
        Assert.Equal(2000, listener.Counters.BytesSent);
        await Deadline.Until(() => Descriptors.Count() <= before + 40, $"descriptors back to about {before}, now {Descriptors.Count()}");
    }
}

using ProxyShell.Engine.Access;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Proxying;

namespace ProxyShell.Engine.Tests.Chains;

/// <summary>Many connections through hops: counters are exact, and afterwards nothing is left of them.</summary>
public class ChainLoadTests
{
    private const int Batch = 200;

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Five_thousand_connections_leave_no_descriptor_and_no_memory(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        // few events, so that what they keep alive does not hide a leak
        (ProxyChain chain, ProxyServer[] servers) = await house.ChainAsync(3, o => o with { EventCapacity = 1 });
        AccessListener listener = await house.ListenAsync(origin.Endpoint, chain, o => o with { EventCapacity = 1 });
        await ChurnAsync(listener, 2 * Batch);
        await AllQuietAsync(listener, servers);
        int descriptors = Descriptors.Count();
        long memory = Live();

        await ChurnAsync(listener, 5000);

        await AllQuietAsync(listener, servers);
        const int total = 5000 + (2 * Batch);
        Assert.Equal((total, 0, 0), (listener.Counters.Accepted, listener.Counters.Failed, listener.Counters.Refused));
        Assert.Equal((total * 10L, total * 10L), (listener.Counters.BytesSent, listener.Counters.BytesReceived));
        Assert.Equal((total * 10L, total * 10L), (servers[2].Counters.BytesSent, servers[2].Counters.BytesReceived));
        await Deadline.Until(() => Descriptors.Count() <= descriptors + 40, $"descriptors back to about {descriptors}, now {Descriptors.Count()}");
        long grown = Live() - memory;
        Assert.True(grown < 4 * 1024 * 1024, $"{grown} bytes more are in use than before");
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Two_thousand_idle_connections_are_held_and_let_go(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        // eight descriptors a connection in this one process, with two hops
        (ProxyChain chain, ProxyServer[] servers) = await house.ChainAsync(2);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, chain);
        int descriptors = Descriptors.Count();
        var clients = new List<Client>();
        while (clients.Count < 2000) clients.AddRange(await Task.WhenAll(Enumerable.Range(0, Batch).Select(_ => OpenAsync(listener))).Within(60));

        Assert.Equal(2000, listener.Counters.Active);
        Assert.All(servers, server => Assert.Equal(2000, server.Counters.Active));
        foreach (Client client in clients)
        {
            await client.SendAsync("y");
            Assert.Equal("y"u8.ToArray(), await client.ReadAsync(1));
        }

        foreach (Client client in clients) client.Dispose();
        await AllQuietAsync(listener, servers);
        Assert.Equal(4000, listener.Counters.BytesSent);
        await Deadline.Until(() => Descriptors.Count() <= descriptors + 40, $"descriptors back to about {descriptors}, now {Descriptors.Count()}");
    }

    private static async Task<Client> OpenAsync(AccessListener listener)
    {
        Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("x");
        await client.ReadAsync(1);
        return client;
    }

    private static async Task ChurnAsync(AccessListener listener, int total)
    {
        int left = total;
        await Task.WhenAll(Enumerable.Range(0, Batch).Select(async _ =>
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

    private static async Task AllQuietAsync(AccessListener listener, ProxyServer[] servers)
    {
        await House.QuietAsync(listener);
        foreach (ProxyServer server in servers) await House.QuietAsync(server);
    }

    private static long Live()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }
}

using System.Diagnostics;
using System.Globalization;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;
using Xunit.Abstractions;

namespace ProxyShell.Engine.Tests.Chains;

/// <summary>Many datagrams of all sizes through three hops, there and back: what arrives is whole and its flow's own.</summary>
public sealed class DatagramLoadTests(ITestOutputHelper output)
{
    private const int Flows = 8;

    [Theory]
    [InlineData(Sockets.Linux, 100_000, "keys")]
    [InlineData(Sockets.Linux, 20_000, "payload key")]
    [InlineData(Sockets.Portable, 20_000, "clear")]
    public async Task Through_three_relay_hops(string sockets, int count, string kind)
    {
        if (!Sockets.Kinds.Contains(sockets)) return;
        ProxyKey key = ProxyKey.Create();
        await using DatagramOrigin origin = DatagramOrigin.Echo();
        await using var house = new House(sockets);
        (ProxyChain chain, ProxyServer[] servers) = await house.ChainAsync(3, o => o with { Udp = true, Keys = kind == "keys" ? [key] : [], PayloadKeys = kind == "payload key" ? [key] : [] });
        if (kind == "payload key") chain = new ProxyChain(chain.Hops) { PayloadKey = key };
        await AssertCarriesAsync(house, origin, chain, count);
        Assert.All(servers, s => Assert.Equal((Flows, 0L, 0L), (s.Counters.Active, s.Counters.Failed, s.Counters.Refused)));
    }

    [Fact]
    public async Task In_a_stream_through_TLS_hops()
    {
        await using DatagramOrigin origin = DatagramOrigin.Echo();
        await using var house = new House(Sockets.Kinds.First());
        (ProxyChain chain, _) = await house.ChainAsync(3, o => o with { Udp = true, Certificate = Certificates.Localhost });
        await AssertCarriesAsync(house, origin, chain, 20_000);
    }

    private async Task AssertCarriesAsync(House house, DatagramOrigin origin, ProxyChain chain, int count)
    {
        AccessListener listener = await house.ListenAsync(origin.Endpoint, chain, o => o with { Udp = true });
        long start = Stopwatch.GetTimestamp();
        DatagramExchange[] flows = [.. Enumerable.Range(0, Flows).Select(flow => new DatagramExchange(listener.LocalPort, flow))];
        await Task.WhenAll(flows.Select(flow => Task.Run(() => flow.RunAsync(count / Flows)))).Within(120);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;

        int arrived = flows.Sum(flow => flow.Arrived);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{arrived:N0} of {count:N0} datagrams came back ({count - arrived:N0} lost), {flows.Sum(f => f.Bytes) / 1e6:N0} MB each way in {seconds:0.0} s"));
        Assert.Equal(0, flows.Sum(flow => flow.Foreign));
        Assert.True(arrived >= count * 0.95, $"only {arrived:N0} of {count:N0} came back");
        Assert.Equal((Flows, 0L), (listener.Counters.Active, listener.Counters.Failed));
        foreach (DatagramExchange flow in flows) flow.Dispose();
    }
}

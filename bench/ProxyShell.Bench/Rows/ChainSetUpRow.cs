using ProxyShell.Bench.Load;
using ProxyShell.Bench.Measuring;
using ProxyShell.Bench.Origins;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Rows;

/// <summary>How long a new connection through a chain of four hops takes when every link delays by 20 ms each way.</summary>
/// <remarks>
/// A client connects to the access listener, sends one byte at once and waits for its echo: the time to the first byte.
/// Then the same connection echoes a few more bytes: their median is the end-to-end round trip. Set-up is the first
/// minus the second. It would be 0 if the byte could travel with the headers all the way and its echo straight back,
/// 1 round trip if the listener waits for the far end's word first, and 4 or more with a handshake per hop.
/// </remarks>
internal sealed class ChainSetUpRow : IRow
{
    private const int Hops = 4;
    private const int WarmUpConnections = 3;
    private const int Connections = 5;
    private const int MaxConnections = 64;
    private static readonly TimeSpan LinkDelay = TimeSpan.FromMilliseconds(20);

    public string Id => "chain";

    public async Task<RowResult> RunAsync(BenchContext context)
    {
        Metric[] metrics = [Metric.SetUp, Metric.RoundTrip, Metric.SetUpInRoundTrips, Metric.WorstSetUpInRoundTrips, Metric.FirstByte];
        string title = $"Set-up of a chain of {Hops} relay hops, {LinkDelay.TotalMilliseconds} ms each way on each of {Hops + 1} links";
        var result = new RowResult(title, metrics)
        {
            Goals = [new Goal(Metric.SetUpInRoundTrips, null, Bound.AtMost, 1.1)],
        };
        if (context.Host is null)
            return result;
        var peer = new ChainPeer(context.Host, Hops);
        try
        {
            await MeasureAsync(peer, result, context);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            result.Fail(peer, $"failed: {failure.Message}");
        }

        return result;
    }

    private async Task MeasureAsync(ChainPeer peer, RowResult result, BenchContext context)
    {
        using ServerProcess origin = await OriginSpecification.Reply(1, 1).StartAsync(context);
        using var lastLink = new DelayRelay(origin.Port, LinkDelay);
        int[] hopPorts = [.. Enumerable.Range(0, Hops).Select(_ => FreePorts.Take())];
        DelayRelay[] links = [.. hopPorts.Select(port => new DelayRelay(port, LinkDelay))];
        try
        {
            var plan = new RelayPlan(FreePorts.Take(), lastLink.Port, MaxConnections, context.Directory);
            ProcessCommand command = peer.Prepare(plan, hopPorts, [.. links.Select(link => link.Port)]);
            using ServerProcess relay = await ServerProcess.StartAsync(peer.Name, command, plan.Port, Readiness.Accepts, context.Cancelled);
            for (int i = 0; i < WarmUpConnections; i++)
                FirstEcho.Measure(relay.Port);
            for (int round = 1; round <= context.Options.Rounds; round++)
            {
                result.Add(round, peer, Read(relay.Port));
                BenchContext.Progress($"{Id} {round}/{context.Options.Rounds} {peer.Name}");
            }
        }
        finally
        {
            foreach (DelayRelay link in links)
                link.Dispose();
        }
    }

    private static Dictionary<Metric, double> Read(int port)
    {
        FirstEcho[] echoes = [.. Enumerable.Range(0, Connections).Select(_ => FirstEcho.Measure(port))];
        return new Dictionary<Metric, double>
        {
            [Metric.SetUp] = Median(echoes, echo => echo.SetUp),
            [Metric.RoundTrip] = Median(echoes, echo => echo.RoundTrip),
            [Metric.SetUpInRoundTrips] = Median(echoes, echo => echo.SetUp / echo.RoundTrip),
            [Metric.WorstSetUpInRoundTrips] = echoes.Max(echo => echo.SetUp / echo.RoundTrip),
            [Metric.FirstByte] = Median(echoes, echo => echo.FirstByte),
        };
    }

    private static double Median(FirstEcho[] echoes, Func<FirstEcho, double> value) => Spread.Of(echoes.Select(value))!.Value.Median;
}

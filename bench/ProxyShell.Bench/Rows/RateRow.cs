using ProxyShell.Bench.Load;
using ProxyShell.Bench.Measuring;
using ProxyShell.Bench.Origins;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Rows;

/// <summary>A load that runs for a while; all relays stand ready and are measured in turns.</summary>
internal sealed class RateRow : IRow
{
    private const int MaxConnections = 4096;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan TraceTime = TimeSpan.FromMilliseconds(500);

    public required string Id { get; init; }

    public required string Title { get; init; }

    public required OriginSpecification Origin { get; init; }

    public required Func<Station, ILoad> Load { get; init; }

    public required IReadOnlyList<Metric> Metrics { get; init; }

    public required Func<LoadWindow, ILoad, IReadOnlyDictionary<Metric, double>> Read { get; init; }

    public IReadOnlyList<Goal> Goals { get; init; } = [];

    /// <summary>Chooses from the relays of the run, in the order in which a round measures them.</summary>
    public required Func<BenchContext, IEnumerable<IRelayPeer>> Peers { get; init; }

    /// <summary>The link between the two ends of a relay; null for the machine's own loopback.</summary>
    public SlowLink? Link { get; init; }

    /// <summary>Whether a last, unmeasured run counts the system calls of ProxyShell.</summary>
    public bool CountSystemCalls { get; init; }

    public async Task<RowResult> RunAsync(BenchContext context)
    {
        var result = new RowResult(Title, Metrics) { Goals = Goals };
        List<Station> stations = await StartAsync(context, result);
        try
        {
            for (int round = 1; round <= context.Options.Rounds; round++)
            {
                foreach (Station station in stations.ToArray())
                    await MeasureAsync(station, round, stations, result, context);
            }

            if (CountSystemCalls)
                await CountSystemCallsAsync(stations, result, context);
            return result;
        }
        finally
        {
            stations.ForEach(station => station.Dispose());
        }
    }

    private async Task<List<Station>> StartAsync(BenchContext context, RowResult result)
    {
        List<Station> stations = [];
        foreach (IRelayPeer peer in Peers(context))
        {
            try
            {
                stations.Add(await Station.StartAsync(peer, Origin, MaxConnections, context, slow: Link));
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                result.Fail(peer, $"did not start: {failure.Message}");
            }
        }

        return stations;
    }

    private async Task MeasureAsync(Station station, int round, List<Station> stations, RowResult result, BenchContext context)
    {
        try
        {
            using ILoad load = Load(station);
            LoadWindow window = await LoadWindow.MeasureAsync(
                load, station.Relay?.Tree, station.Origin.Tree, context.Times, context.Cancelled);
            IReadOnlyDictionary<Metric, double> readings = Read(window, load);
            result.Add(round, station.Peer, readings);
            BenchContext.Progress(
                $"{Id} {round}/{context.Options.Rounds} {station.Peer.Name}: {Metrics[0].Name} {readings[Metrics[0]]:0.#}");
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            result.Fail(station.Peer, $"failed in round {round}: {failure.Message}");
            stations.Remove(station);
            station.Dispose();
        }

        await Task.Delay(Pause, context.Cancelled); // connections that are still closing shall not disturb the next
    }

    private async Task CountSystemCallsAsync(List<Station> stations, RowResult result, BenchContext context)
    {
        foreach (Station station in stations.Where(station => station.Peer is ProxyShellPeer))
        {
            using ILoad load = Load(station);
            load.Start();
            await Task.Delay(context.Times.WarmUp, context.Cancelled);
            int pipes = station.Relay!.Tree.OpenPipes();
            string calls = SystemCallCount.IsAvailable
                ? await SystemCallCount.TraceAsync(station.Relay.Id, TraceTime, context.Cancelled) ?? "strace could not attach"
                : "not counted, strace is not installed";
            result.Notes.Add($"{station.Peer.Name}, system calls in {TraceTime.TotalSeconds} s under strace: {calls}; pipes open: {pipes}");
        }
    }
}

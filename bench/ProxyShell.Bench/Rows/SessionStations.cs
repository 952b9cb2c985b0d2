using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Rows;

/// <summary>Rounds over all relays of two ends; all stand ready and take turns.</summary>
internal static class SessionStations
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    internal static async Task MeasureAsync(
        BenchContext context, RowResult result, string row, Func<IRelayPeer, Task<Station>> start, Func<Station, BenchContext, Task<IReadOnlyDictionary<Metric, double>>> read)
    {
        List<Station> stations = [];
        try
        {
            foreach (IRelayPeer peer in context.PeersFor(RelayService.Session))
                await TryAsync(peer, result, "did not start", async () => stations.Add(await start(peer)));
            for (int round = 1; round <= context.Options.Rounds; round++)
            {
                foreach (Station station in stations)
                {
                    await TryAsync(station.Peer, result, $"failed in round {round}", async () =>
                    {
                        IReadOnlyDictionary<Metric, double> readings = await read(station, context);
                        result.Add(round, station.Peer, readings);
                        BenchContext.Progress($"{row} {round}/{context.Options.Rounds} {station.Peer.Name}: {result.Metrics[0].Name} {readings[result.Metrics[0]]:0.###}");
                    });
                    await Task.Delay(Pause, context.Cancelled); // connections that are still closing shall not disturb the next
                }
            }
        }
        finally
        {
            stations.ForEach(station => station.Dispose());
        }
    }

    private static async Task TryAsync(IRelayPeer peer, RowResult result, string what, Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            result.Fail(peer, $"{what}: {failure.Message}");
        }
    }
}

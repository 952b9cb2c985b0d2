using ProxyShell.Bench.Measuring;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Rows;

/// <summary>Rounds over all makes of sessions whose channels can be opened without a port.</summary>
internal static class SessionDrivers
{
    internal delegate Task Step(DriverProcess driver, CancellationToken cancellationToken);

    internal delegate Task<IReadOnlyDictionary<Metric, double>> Reading(DriverProcess driver, CancellationToken cancellationToken);

    /// <summary>Each round starts the processes afresh, lets them settle, and reads.</summary>
    internal static async Task MeasureAsync(BenchContext context, RowResult result, string row, Step warmUp, Reading read)
    {
        for (int round = 1; round <= context.Options.Rounds; round++)
        {
            foreach (ISessionPeer peer in context.PeersFor(RelayService.Session).OfType<ISessionPeer>())
            {
                try
                {
                    using DriverProcess driver = DriverProcess.Start(peer, context);
                    await warmUp(driver, context.Cancelled);
                    IReadOnlyDictionary<Metric, double> readings = await read(driver, context.Cancelled);
                    result.Add(round, peer, readings);
                    BenchContext.Progress($"{row} {round}/{context.Options.Rounds} {peer.Name}: {result.Metrics[0].Name} {readings[result.Metrics[0]]:0.##}");
                }
                catch (Exception failure) when (failure is not OperationCanceledException)
                {
                    result.Fail(peer, $"failed in round {round}: {failure.Message}");
                }
            }
        }
    }
}

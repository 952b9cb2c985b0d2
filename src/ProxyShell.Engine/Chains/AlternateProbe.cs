using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>
/// Finds out whether the last hop of a path works: a relay hop is asked for an echo, whose round trip is the latency; another one is only
/// reached, and the time this takes is the latency.
/// </summary>
internal sealed class AlternateProbe(PathConnector paths, TimeProvider time)
{
    /// <summary>How long a probe may take.</summary>
    public static TimeSpan TimeLimit { get; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether a probe shows that the hop does its work, not only that it is there.</summary>
    public static bool IsWhole(ChainPath path) => path.Hops[^1].Protocol == HopProtocol.Relay;

    /// <summary>Probes; a failure names the hop at fault. A cancelled token is a time-out.</summary>
    public async ValueTask<TimeSpan> RunAsync(ChainPath path, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(TimeLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        return IsWhole(path) ? await EchoAsync(path, either.Token).ConfigureAwait(false) : await ReachAsync(path, either.Token).ConfigureAwait(false);
    }

    private async ValueTask<TimeSpan> ReachAsync(ChainPath path, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        DuplexConnection connection = await paths.ReachAsync(path, path.Hops.Count - 1, cancellationToken).ConfigureAwait(false);
        TimeSpan latency = time.GetElapsedTime(start);
        await connection.DisposeAsync().ConfigureAwait(false);
        return latency;
    }

    private async ValueTask<TimeSpan> EchoAsync(ChainPath path, CancellationToken cancellationToken)
    {
        DuplexConnection connection = await paths.ConnectAsync(path, FlightTarget.Probe, null, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            try
            {
                return await ProbeEcho.MeasureAsync(connection, 1, time, cancellationToken).ConfigureAwait(false);
            }
            catch (ProxyException e) when (e.Subject is null)
            {
                throw path.Fault(path.Hops.Count - 1, e.Reason, ProxyStage.Request, e.Detail, e);
            }
            catch (OperationCanceledException e)
            {
                throw path.Fault(path.Hops.Count - 1, ProxyErrorReason.TimedOut, ProxyStage.Request, "no echo in time", e);
            }
        }
    }
}

using System.Net;

namespace ProxyShell.Engine.Transport;

/// <summary>
/// Tries several addresses of one host as RFC 8305 §5 says: the next attempt starts when the last one failed or 250 ms after it
/// began; the first connection wins, late ones are closed. When all fail, the first failure is told.
/// </summary>
internal sealed class DialRace(SocketTransport sockets, IPAddress[] addresses, int port)
{
    private static readonly TimeSpan AttemptDelay = TimeSpan.FromMilliseconds(250);

    public async ValueTask<DuplexConnection> RunAsync(CancellationToken cancellationToken)
    {
        using var losers = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = new List<Task<DuplexConnection>>();
        Exception? firstFailure = null;
        int next = 0;
        try
        {
            while (true)
            {
                if (next < addresses.Length) running.Add(sockets.ConnectAsync(new IPEndPoint(addresses[next++], port), losers.Token).AsTask());
                if (running.Count == 0) throw firstFailure!;
                Task<DuplexConnection>? ended = await FirstEndedAsync(running, next < addresses.Length, cancellationToken).ConfigureAwait(false);
                if (ended is null) continue;
                running.Remove(ended);
                if (ended.IsCompletedSuccessfully) return await ended.ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
                firstFailure ??= ended.Exception!.InnerException;
            }
        }
        finally
        {
            await losers.CancelAsync().ConfigureAwait(false);
            foreach (Task<DuplexConnection> loser in running) await CloseAsync(loser).ConfigureAwait(false);
        }
    }

    // null means that it is time for the next attempt
    private static async ValueTask<Task<DuplexConnection>?> FirstEndedAsync(
        List<Task<DuplexConnection>> running, bool mayStartNext, CancellationToken cancellationToken)
    {
        Task<Task<DuplexConnection>> any = Task.WhenAny(running);
        if (!mayStartNext) return await any.WaitAsync(cancellationToken).ConfigureAwait(false);
        Task pause = Task.Delay(AttemptDelay, cancellationToken);
        Task ended = await Task.WhenAny(any, pause).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return ended == any ? await any.ConfigureAwait(false) : null;
    }

    private static async Task CloseAsync(Task<DuplexConnection> loser)
    {
        await ((Task)loser).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (loser.IsCompletedSuccessfully) await (await loser.ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
    }
}

using ProxyShell.Bench.Measuring;
using ProxyShell.Bench.Native;
using ProxyShell.Bench.Peers;
using ProxyShell.Bench.Reporting;
using ProxyShell.Bench.Rows;

namespace ProxyShell.Bench;

/// <summary>One run from options to report.</summary>
internal sealed class BenchRun(BenchOptions options)
{
    private readonly List<string> _preamble = [.. MachineDescription.Lines()];
    private int _skipped;

    internal async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        string directory = Directory.CreateTempSubdirectory("proxyshell-bench-").FullName;
        try
        {
            ProxyShellHost? host = await FindHostAsync(directory, cancellationToken);
            IRelayPeer[] peers = [.. Installed(PeerCatalogue.Create(options.Peers, host))];
            _preamble.Add($"Skipped: {_skipped}");
            _preamble.Add(FormattableString.Invariant(
                $"Rounds: {options.Rounds}, each {options.Duration.TotalSeconds} s after {options.WarmUp.TotalSeconds} s of warm-up"));
            var context = new BenchContext(options, peers, host, directory, OpenFileLimit.Raise(), cancellationToken)
            {
                RelayProcessors = SplitProcessors(),
            };
            var report = new Report(await RunRowsAsync(context), _preamble);
            await WriteAsync(report, cancellationToken);
            bool complete = report.IsComplete && (host is not null || !PeerCatalogue.AsksForProxyShell(options.Peers));
            return complete && (report.AllGoalsMet || !options.Check) ? 0 : 1;
        }
        finally
        {
            StartedProcesses.StopAll();
            Directory.Delete(directory, recursive: true);
        }
    }

    private ProcessorSet? SplitProcessors()
    {
        if (!options.Split)
            return null;
        (ProcessorSet relays, ProcessorSet load) = ProcessorSet.Current.Halves();
        _preamble.Add($"Relays on processor {relays}, load and origins on {load}");
        load.UseForAllThreads();
        return relays;
    }

    private async Task<ProxyShellHost?> FindHostAsync(string directory, CancellationToken cancellationToken)
    {
        if (!PeerCatalogue.AsksForProxyShell(options.Peers))
            return null;
        try
        {
            if (options.HostPath is not null)
                return ProxyShellHost.At(options.HostPath);
            BenchContext.Progress("publishing src/ProxyShell.Host …");
            return await ProxyShellHost.PublishAsync(Path.Combine(directory, "host"), cancellationToken);
        }
        catch (InvalidOperationException failure)
        {
            Skip($"ProxyShell: {failure.Message}");
            return null;
        }
    }

    private IEnumerable<IRelayPeer> Installed(IEnumerable<IRelayPeer> peers)
    {
        foreach (IGrouping<string, IRelayPeer> program in peers.GroupBy(peer => peer.Id))
        {
            IRelayPeer first = program.First();
            if (first.FindVersion() is not { } version)
            {
                Skip($"{first.Name} not installed");
                continue;
            }

            if (!first.BulkOnly && first is not DirectPeer)
                _preamble.Add($"{first.Name}: {version}");
            foreach (IRelayPeer peer in program)
                yield return peer;
        }
    }

    private void Skip(string what)
    {
        _skipped++;
        Console.WriteLine($"skipped: {what}");
        _preamble.Add($"skipped: {what}");
    }

    private static async Task<List<RowResult>> RunRowsAsync(BenchContext context)
    {
        List<RowResult> results = [];
        foreach (IRow row in RowCatalogue.Create(context.Options))
            results.Add(await row.RunAsync(context));
        return results;
    }

    private async Task WriteAsync(Report report, CancellationToken cancellationToken)
    {
        string[] lines = [.. report.Lines()];
        Console.WriteLine(string.Join('\n', lines));
        if (options.MarkdownFile is not null)
            await File.WriteAllLinesAsync(options.MarkdownFile, ["# Benchmarks", string.Empty, .. lines], cancellationToken);
    }
}

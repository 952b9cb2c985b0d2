using ProxyShell.Bench.Measuring;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Rows;

/// <summary>The readings of one row: by relay, by round, by metric.</summary>
internal sealed class RowResult(string title, IReadOnlyList<Metric> metrics)
{
    private readonly Dictionary<string, Dictionary<int, IReadOnlyDictionary<Metric, double>>> _rounds = [];

    internal string Title { get; } = title;

    internal IReadOnlyList<Metric> Metrics { get; } = metrics;

    internal IReadOnlyList<Goal> Goals { get; init; } = [];

    internal List<(string Id, string Name)> Subjects { get; } = [];

    internal List<string> Notes { get; } = [];

    /// <summary>Whether a relay could not be measured in some round; the notes tell which and why.</summary>
    internal bool HasFailures { get; private set; }

    internal void Add(int round, IRelayPeer peer, IReadOnlyDictionary<Metric, double> readings)
    {
        if (!_rounds.TryGetValue(peer.Id, out Dictionary<int, IReadOnlyDictionary<Metric, double>>? rounds))
        {
            _rounds[peer.Id] = rounds = [];
            Subjects.Add((peer.Id, peer.Name));
        }

        rounds[round] = readings;
    }

    internal void Fail(IRelayPeer peer, string what)
    {
        HasFailures = true;
        Notes.Add($"{peer.Name}: {what}");
        BenchContext.Progress(Notes[^1]);
    }

    internal Spread? Absolute(string subject, Metric metric) =>
        _rounds.TryGetValue(subject, out var rounds) ? Spread.Of(rounds.Values.Select(readings => readings[metric])) : null;

    /// <summary>The spread of the quotients that neighbours of the same round gave, which shared disturbances leave alone.</summary>
    internal Spread? Ratio(string subject, string peer, Metric metric)
    {
        if (!_rounds.TryGetValue(subject, out var own) || !_rounds.TryGetValue(peer, out var others))
            return null;
        return Spread.Of(own.Keys.Where(others.ContainsKey).Select(round => own[round][metric] / others[round][metric]));
    }
}

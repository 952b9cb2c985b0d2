using System.Globalization;
using ProxyShell.Bench.Measuring;
using ProxyShell.Bench.Peers;
using ProxyShell.Bench.Rows;

namespace ProxyShell.Bench.Reporting;

/// <summary>The results as Markdown: goals and ratios first, then absolute values.</summary>
internal sealed class Report(IReadOnlyList<RowResult> results, IReadOnlyList<string> preamble)
{
    private const string Absent = "–";
    private const string RatioFormat = "0.00";

    /// <summary>True when every goal that could be measured is met.</summary>
    internal bool AllGoalsMet => results.All(result => result.Goals.All(goal => Met(result, goal) ?? true));

    /// <summary>True when every relay could be measured in every round.</summary>
    internal bool IsComplete => !results.Any(result => result.HasFailures);

    internal IEnumerable<string> Lines() =>
    [
        .. preamble.Select(line => $"- {line}"),
        .. Section("## Goals", Goals()),
        .. Section("## Ratios: median of the rounds [lowest – highest]", results.SelectMany(Ratios)),
        .. Section("## Absolute values: median [lowest – highest]", results.SelectMany(Absolutes)),
    ];

    private static IEnumerable<string> Section(string heading, IEnumerable<string> body)
    {
        string[] lines = [.. body];
        return lines.Length == 0 ? [] : [string.Empty, heading, .. lines];
    }

    private IEnumerable<string> Goals()
    {
        var table = new TextTable("work", "goal", "measured", "met");
        foreach (RowResult result in results)
        {
            foreach (Goal goal in result.Goals)
            {
                string? peer = result.Subjects.Find(subject => subject.Id == goal.PeerId).Name ?? goal.PeerId;
                string met = Met(result, goal) switch { true => "yes", false => "NO", null => "not measured" };
                string format = goal.PeerId is null ? goal.Metric.Format : RatioFormat;
                table.Add([result.Title, goal.Describe(peer), Text(Measured(result, goal), format), met]);
            }
        }

        return table.IsEmpty ? [] : [string.Empty, .. table.Lines()];
    }

    private static IEnumerable<string> Ratios(RowResult result)
    {
        if (Own(result) is not { } own || result.Subjects.Count < 2)
            return [];
        Metric[] metrics = [.. result.Metrics.Where(metric => metric.InRatios)];
        var table = new TextTable([$"{own.Name} ÷", .. metrics.Select(metric => metric.Name)]);
        foreach ((string id, string name) in result.Subjects.Where(subject => subject.Id != own.Id))
            table.Add([name, .. metrics.Select(metric => Text(result.Ratio(own.Id, id, metric), RatioFormat))]);
        return [string.Empty, $"### {result.Title}", string.Empty, .. table.Lines()];
    }

    private static IEnumerable<string> Absolutes(RowResult result)
    {
        var table = new TextTable(["relay", .. result.Metrics.Select(metric => metric.Name)]);
        foreach ((string id, string name) in result.Subjects)
            table.Add([name, .. result.Metrics.Select(metric => Text(result.Absolute(id, metric), metric.Format))]);
        IEnumerable<string> notes = result.Notes.Select(note => $"- {note}");
        if (result.Notes.Count > 0)
            notes = notes.Prepend(string.Empty);
        return [string.Empty, $"### {result.Title}", string.Empty, .. table.Lines(), .. notes];
    }

    /// <summary>The relay that the others are compared with: ProxyShell, or the first one when ProxyShell was not measured.</summary>
    private static (string Id, string Name)? Own(RowResult result)
    {
        (string Id, string Name) own = result.Subjects.Find(IsProxyShell);
        if (own.Id is null)
            own = result.Subjects.FirstOrDefault();
        return own.Id is null ? null : own;
    }

    private static bool IsProxyShell((string Id, string Name) subject) =>
        subject.Id.StartsWith(ProxyShellPeer.MainId, StringComparison.Ordinal);

    private static Spread? Measured(RowResult result, Goal goal) =>
        Own(result) is { } own && IsProxyShell(own) ? goal.Measure(result, own.Id) : null;

    private static bool? Met(RowResult result, Goal goal) =>
        Measured(result, goal) is { } spread ? goal.IsMet(spread.Median) : null;

    private static string Text(Spread? spread, string format)
    {
        if (spread is not { } value)
            return Absent;
        string median = Number(value.Median, format);
        string lowest = Number(value.Lowest, format);
        string highest = Number(value.Highest, format);
        return lowest == highest ? median : $"{median} [{lowest} – {highest}]";
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}

namespace ProxyShell.Engine.Serving;

/// <summary>What is different between the options of a running service and those it is to have.</summary>
internal static class OptionChanges
{
    /// <summary>What among the changes a running service cannot make, in words; null when it can make them all.</summary>
    public static string? DescribeFixed(ServiceOptions now, ServiceOptions later) =>
        now.Values.Zip(later.Values).FirstOrDefault(pair => pair.First.IsFixed && !pair.First.IsSame(pair.Second)) is ({ } fault, { } asked)
            ? $"A running service cannot change {fault.ChangeTo(asked)}"
            : null;

    /// <summary>The changes in words, without secrets; null when there are none.</summary>
    /// <exception cref="FormatException">One of them a running service cannot make; the message names it.</exception>
    public static string? Describe(ServiceOptions now, ServiceOptions later)
    {
        if (DescribeFixed(now, later) is { } fault) throw new FormatException($"{fault}: stop it and start another.");
        return Describe(now.Values, later.Values);
    }

    /// <summary>The changes among values in words, whether they can be made or not; null when there are none.</summary>
    public static string? Describe(IEnumerable<OptionValue> now, IEnumerable<OptionValue> later)
    {
        (OptionValue Now, OptionValue Later)[] changes = [.. now.Zip(later).Where(pair => !pair.First.IsSame(pair.Second))];
        return changes.Length == 0 ? null : "changed " + string.Join("; ", changes.Select(change => change.Now.ChangeTo(change.Later)));
    }
}

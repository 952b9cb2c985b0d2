namespace ProxyShell.Engine.Serving;

/// <summary>What is different between the options of a running service and those it is to have.</summary>
internal static class OptionChanges
{
    /// <summary>The changes in words, without secrets; null when there are none.</summary>
    /// <exception cref="FormatException">One of them a running service cannot make; the message names it.</exception>
    public static string? Describe(ServiceOptions now, ServiceOptions later)
    {
        List<(OptionValue Now, OptionValue Later)> changes = [.. now.Values.Zip(later.Values).Where(pair => !pair.First.IsSame(pair.Second))];
        if (changes.Find(change => change.Now.IsFixed) is { Now: { } fault, Later: { } asked })
            throw new FormatException($"A running service cannot change {fault.ChangeTo(asked)}: stop it and start another.");
        return changes.Count == 0 ? null : "changed " + string.Join("; ", changes.Select(change => change.Now.ChangeTo(change.Later)));
    }
}

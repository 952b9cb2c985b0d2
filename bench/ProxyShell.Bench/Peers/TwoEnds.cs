namespace ProxyShell.Bench.Peers;

/// <summary>Two programs as one relay: the far end serves, the near end connects to it.</summary>
internal static class TwoEnds
{
    private const int Attempts = 50;

    /// <summary>One process tree with both; a near end that did not find the far one yet is started anew.</summary>
    internal static ProcessCommand Join(ProcessCommand far, ProcessCommand near) => Join(far, near, string.Empty);

    /// <summary>The same where a near end does not end, but fails its first clients: it is started when the far one listens on its port, and not before.</summary>
    internal static ProcessCommand Join(ProcessCommand far, ProcessCommand near, int farPort) =>
        Join(far, near, $"until grep -q ':{farPort:X4} 00000000:0000 0A' /proc/net/tcp; do sleep 0.05; done;");

    private static ProcessCommand Join(ProcessCommand far, ProcessCommand near, string wait)
    {
        string attempts = string.Join(' ', Enumerable.Range(0, Attempts));
        string script = $"{Line(far)} & {wait} for attempt in {attempts}; do {Line(near)}; sleep 0.1; done";
        return new ProcessCommand("/bin/sh", ["-c", script]) { Environment = near.Environment };
    }

    private static string Line(ProcessCommand command) => string.Join(' ', command.Arguments.Prepend(command.Program).Select(Quote));

    private static string Quote(string word) => $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}

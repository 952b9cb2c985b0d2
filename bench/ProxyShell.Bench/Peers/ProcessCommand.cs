using System.Diagnostics;
using ProxyShell.Bench.Native;

namespace ProxyShell.Bench.Peers;

/// <summary>A program with its arguments and additions to the environment.</summary>
internal sealed record ProcessCommand(string Program, IReadOnlyList<string> Arguments)
{
    internal IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>The processors that the program may use; null for those that the bench uses itself.</summary>
    internal ProcessorSet? Processors { get; init; }

    /// <summary>Files that the program makes outside the bench's directory and does not remove when it is killed.</summary>
    internal IReadOnlyList<string> Leftovers { get; init; } = [];

    /// <summary>This program again, in another role.</summary>
    internal static ProcessCommand Self(IReadOnlyList<string> arguments) => new(System.Environment.ProcessPath!, arguments);

    internal ProcessStartInfo ToStartInfo()
    {
        var start = new ProcessStartInfo(Program, Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach ((string name, string value) in Environment)
            start.Environment[name] = value;
        return start;
    }
}

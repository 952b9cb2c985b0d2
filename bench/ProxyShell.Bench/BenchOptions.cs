using System.Globalization;
using ProxyShell.Bench.Load;
using ProxyShell.Bench.Origins;
using ProxyShell.Bench.Peers;
using ProxyShell.Bench.Rows;

namespace ProxyShell.Bench;

/// <summary>What the command line asks for.</summary>
internal sealed record BenchOptions
{
    internal static readonly string Usage = $"""
        dotnet run -c Release --project bench/ProxyShell.Bench -- [options]

          --rows LIST       of {string.Join(',', RowCatalogue.Ids)}   (all)
          --peers LIST      of {string.Join(',', PeerCatalogue.Ids)}
                            (all)
          --rounds N        rounds; every round measures each relay once   (5)
          --seconds S       measured time of one load   (3)
          --warmup S        unmeasured time before it   (1)
          --pairs N         pairs of the idle row   (10000)
          --source MODE     splice: the bulk sender splices its pages; send: it copies   (splice)
          --host PATH       the proxyshell program or its .dll   (publish src/ProxyShell.Host)
          --split           relays on one half of the processors, load and origins on the other
          --markdown FILE   write the report there too
          --check           exit with 1 when a goal is missed

        dotnet run -c Release --project bench/ProxyShell.Bench -- soak [MINUTES [CHANNELS]]

          random lives of a session's channels   (10 minutes, 1000 at once); exit with 1 when one went wrong

        dotnet run -c Release --project bench/ProxyShell.Bench -- link PORT DESTINATION_PORT MB_PER_SECOND/MILLISECONDS...

          a simulated link with so many connections at a time; standard input obeys {LinkRole.Commands}
        """;

    internal IReadOnlyList<string> Rows { get; private init; } = RowCatalogue.Ids;

    internal IReadOnlyList<string> Peers { get; private init; } = PeerCatalogue.Ids;

    internal int Rounds { get; private init; } = 5;

    internal TimeSpan Duration { get; private init; } = TimeSpan.FromSeconds(3);

    internal TimeSpan WarmUp { get; private init; } = TimeSpan.FromSeconds(1);

    internal int IdlePairs { get; private init; } = 10_000;

    internal SourceMode Source { get; private init; } = SourceMode.Splice;

    internal string? HostPath { get; private init; }

    internal string? MarkdownFile { get; private init; }

    internal bool Check { get; private init; }

    internal bool Split { get; private init; }

    /// <exception cref="FormatException">An option is unknown, lacks its value or has one that does not fit.</exception>
    internal static BenchOptions Parse(string[] arguments)
    {
        var options = new BenchOptions();
        for (int i = 0; i < arguments.Length; i++)
        {
            string option = arguments[i];
            if (option == "--check")
                options = options with { Check = true };
            else if (option == "--split")
                options = options with { Split = true };
            else if (i + 1 < arguments.Length)
                options = options.With(option, arguments[++i]);
            else
                throw new FormatException($"{option}: unknown option, or its value is missing");
        }

        return options;
    }

    private BenchOptions With(string option, string value) => option switch
    {
        "--rows" => this with { Rows = List(value, RowCatalogue.Ids) },
        "--peers" => this with { Peers = List(value, PeerCatalogue.Ids) },
        "--rounds" => this with { Rounds = (int)Number(value) },
        "--seconds" => this with { Duration = TimeSpan.FromSeconds(Number(value)) },
        "--warmup" => this with { WarmUp = TimeSpan.FromSeconds(Number(value)) },
        "--pairs" => this with { IdlePairs = (int)Number(value) },
        "--source" => this with { Source = Mode(value) },
        "--host" => this with { HostPath = Path.GetFullPath(value) },
        "--markdown" => this with { MarkdownFile = Path.GetFullPath(value) },
        _ => throw new FormatException($"{option}: unknown option"),
    };

    private static string[] List(string value, IReadOnlyList<string> known)
    {
        string[] items = value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string? unknown = Array.Find(items, item => !known.Contains(item));
        return unknown is null ? items : throw new FormatException($"{unknown}: not one of {string.Join(',', known)}");
    }

    private static SourceMode Mode(string value) => Enum.TryParse(value, ignoreCase: true, out SourceMode mode)
        ? mode
        : throw new FormatException($"{value}: splice or send");

    private static double Number(string value) =>
        double.TryParse(value, CultureInfo.InvariantCulture, out double number) && number > 0
            ? number
            : throw new FormatException($"{value}: a positive number is expected");
}

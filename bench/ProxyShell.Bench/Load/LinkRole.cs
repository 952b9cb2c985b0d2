using System.Globalization;

namespace ProxyShell.Bench.Load;

/// <summary>
/// A simulated link as a process: <c>link PORT DESTINATION_PORT SHAPE…</c>, each shape the rate in MB/s and the one-way delay in ms of one connection
/// (<c>40/10</c>; a rate of 0 is no limit). Standard input tells what happens to it, one answer a line; its end ends the process.
/// </summary>
internal static class LinkRole
{
    internal const string Name = "link";

    internal const string Commands = "kill N|any|all, refuse N, freeze N|all, thaw, down, up, open, accepted";

    internal static int Run(string[] arguments)
    {
        using var link = new DelayRelay(Number(arguments[1]), [.. arguments[2..].Select(LinkShape.Parse)], Number(arguments[0]));
        Console.WriteLine($"listening on {link.Port}");
        while (Console.ReadLine() is { } line)
            Console.WriteLine(Obey(link, line.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        return 0;
    }

    private static string Obey(DelayRelay link, string[] words)
    {
        string which = words.ElementAtOrDefault(1) ?? string.Empty;
        switch (words.FirstOrDefault())
        {
            case "kill" when which == "all":
                link.KillAll();
                break;
            case "kill" when which == "any":
                return KillAny(link);
            case "kill":
                link.Kill(Number(which));
                break;
            case "refuse":
                link.Refuse(Number(which));
                break;
            case "freeze" when which == "all":
                link.FreezeAll();
                break;
            case "freeze":
                link.Freeze(Number(which));
                break;
            case "thaw":
                link.ThawAll();
                break;
            case "down":
                link.Down();
                break;
            case "up":
                link.Up();
                break;
            case "open":
                return $"{link.Open.Count}";
            case "accepted":
                return $"{link.Accepted}";
            default:
                return $"{string.Join(' ', words)}: not one of {Commands}";
        }

        return "done";
    }

    private static string KillAny(DelayRelay link)
    {
        IReadOnlyList<int> open = link.Open;
        if (open.Count == 0)
            return "none";
        int place = open[Random.Shared.Next(open.Count)];
        link.Kill(place);
        return $"{place}";
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}

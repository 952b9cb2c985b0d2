using System.Globalization;
using ProxyShell.Bench.Native;

namespace ProxyShell.Bench.Origins;

/// <summary>What the bench does when it was started again as an origin: <c>origin source|reply port …</c>.</summary>
internal static class OriginRole
{
    internal const string Name = "origin";

    internal static int Run(string[] arguments)
    {
        int listener = LoopbackSocket.Listen(Number(arguments[1]));
        new Thread(() => Serve(arguments, listener)) { IsBackground = true }.Start();

        // the parent holds the other end: its death, however sudden, ends this process
        Console.In.ReadToEnd();
        return 0;
    }

    private static void Serve(string[] arguments, int listener)
    {
        if (arguments[0] == "source")
        {
            new BulkSource(Enum.Parse<SourceMode>(arguments[2])).Serve(listener);
            return;
        }

        using var server = new ReplyServer(Number(arguments[2]), Number(arguments[3]));
        server.Serve(listener);
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}

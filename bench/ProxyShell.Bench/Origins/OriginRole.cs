using System.Globalization;
using ProxyShell.Bench.Native;

namespace ProxyShell.Bench.Origins;

/// <summary>What the bench does when it was started again as an origin: <c>origin source|sequence|reply|echo port …</c>.</summary>
internal static class OriginRole
{
    internal const string Name = "origin";

    internal static int Run(string[] arguments)
    {
        int port = Number(arguments[1]);
        int socket = arguments[0] == "echo" ? LoopbackSocket.BindDatagrams(port) : LoopbackSocket.Listen(port);
        new Thread(() => Serve(arguments, socket)) { IsBackground = true }.Start();

        // the parent holds the other end: its death, however sudden, ends this process
        Console.In.ReadToEnd();
        return 0;
    }

    private static void Serve(string[] arguments, int socket)
    {
        switch (arguments[0])
        {
            case "source":
                new BulkSource(Enum.Parse<SourceMode>(arguments[2])).Serve(socket);
                break;
            case "sequence":
                SequenceSource.Serve(socket);
                break;
            case "echo":
                EchoServer.Serve(socket);
                break;
            default:
                using (var server = new ReplyServer(Number(arguments[2]), Number(arguments[3])))
                    server.Serve(socket);
                break;
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}

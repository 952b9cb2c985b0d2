using System.CommandLine;
using ProxyShell.Host.Demonstration;

namespace ProxyShell.Host.Commands;

/// <summary><c>proxyshell demo</c>: shows on this machine, with ports of its own, what chains do.</summary>
internal static class DemoCommand
{
    public static Command Create()
    {
        var command = new Command("demo", "Download a file through three proxy servers on this machine and through a tunnel to them, compare checksums, and show a broken hop.");
        command.SetAction(async (_, cancellationToken) =>
        {
            bool ok = await new Demo(Console.Out).RunAsync(cancellationToken).ConfigureAwait(false);
            Console.WriteLine(ok ? "demo: ok" : "demo: FAILED");
            return ok ? ExitCode.Ok : ExitCode.Failed;
        });
        return command;
    }
}

using System.CommandLine;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Transport;
using ProxyShell.Host.Stdio;

namespace ProxyShell.Host.Commands;

/// <summary><c>proxyshell connect</c>: joins standard input and output to a destination, as OpenSSH's ProxyCommand wants it.</summary>
internal static class ConnectCommand
{
    public static Command Create()
    {
        var arguments = new ChainArguments();
        var command = new Command("connect", "Connect standard input and output through a chain; for OpenSSH: ProxyCommand proxyshell connect --chain URI… %h:%p");
        arguments.AddTo(command);
        command.SetAction((result, cancellationToken) => RunAsync(arguments.Read(result), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ChainTarget target, CancellationToken cancellationToken)
    {
        if (target.Destination is null) throw new FormatException("The destination is missing: give it as HOST:PORT after the chain.");
        var client = new ChainClient { ConnectTimeout = target.ConnectTimeout };
        DuplexConnection upstream = await client.ConnectAsync(target.Chain, target.Destination, cancellationToken).ConfigureAwait(false);
        await using (upstream.ConfigureAwait(false))
        {
            ProxyException? failure = await Relay.RunAsync(StdioConnection.Open(), upstream, new Traffic()).ConfigureAwait(false);
            if (failure is null) return ExitCode.Ok;
            CommandLine.Fail(failure.Message);
            return ExitCode.Failed;
        }
    }
}

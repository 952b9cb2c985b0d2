using System.CommandLine;
using System.Text.RegularExpressions;
using ProxyShell.Engine.Chains.Pool;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Host.Commands;

/// <summary>The commands of <c>proxyshell</c>, and what all of them share: exit codes and how faults are told.</summary>
internal static partial class CommandLine
{
    private static readonly TimeSpan FarewellTime = TimeSpan.FromSeconds(5);

    public static async Task<int> InvokeAsync(string[] args)
    {
        ParseResult result = Root().Parse(args);
        if (result.Errors.Count > 0) return ReportUsage(result);
        // signals are the commands' own business; faults are told below
        var configuration = new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false };
        try
        {
            return await result.InvokeAsync(configuration).ConfigureAwait(false);
        }
        catch (FormatException e)
        {
            Fail(e.Message);
            return ExitCode.Usage;
        }
        catch (Exception e) when (e is ProxyException or IOException or UnauthorizedAccessException)
        {
            Fail(e.Message);
            return ExitCode.Failed;
        }
        finally
        {
            // those that belong to no service; hops shall see an orderly end
            await SessionPool.Shared.CloseAsync().WaitAsync(FarewellTime).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Tells a fault in one line on standard error.</summary>
    public static void Fail(string message) => Console.Error.WriteLine($"proxyshell: {message.ReplaceLineEndings(" ")}");

    private static RootCommand Root() => new("Runs and uses programmable proxies.")
    {
        RunCommand.Create(),
        ConnectCommand.Create(),
        TestCommand.Create(),
        NewKeyCommand.Create(),
        NewIdentityCommand.Create(),
        DemoCommand.Create(),
    };

    private static int ReportUsage(ParseResult result)
    {
        string command = result.CommandResult.Command is RootCommand ? "" : result.CommandResult.Command.Name + " ";
        string[] faults = [.. result.Errors.Select(error => TypeName().Replace(error.Message, "").TrimEnd('.'))];
        string fault = Array.Find(faults, text => text.StartsWith("Unrecognized option", StringComparison.Ordinal))
            ?? Array.Find(faults, text => text.StartsWith("Unrecognized", StringComparison.Ordinal)) ?? faults[0];
        Fail($"{fault}. 'proxyshell {command}--help' shows the usage.");
        return ExitCode.Usage;
    }

    // the library's messages name the .NET type, which says nothing to users
    [GeneratedRegex(" as expected type '[^']*'")]
    private static partial Regex TypeName();
}

using System.CommandLine;
using ProxyShell.Engine.Chains;
using ProxyShell.Host.Tables;

namespace ProxyShell.Host.Commands;

/// <summary><c>proxyshell test</c>: tests a chain hop by hop.</summary>
internal static class TestCommand
{
    public static Command Create()
    {
        var arguments = new ChainArguments();
        var count = new Option<int>("--count") { Description = "How many echoes are sent to each hop.", DefaultValueFactory = _ => 3 };
        var command = new Command("test", "Test a chain hop by hop, and the destination behind it when one is given.");
        arguments.AddTo(command);
        command.Add(count);
        command.SetAction((result, cancellationToken) => RunAsync(arguments.Read(result), result.GetValue(count), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ChainTarget target, int count, CancellationToken cancellationToken)
    {
        if (count is < 1 or > 1000) throw new FormatException($"--count is '{count}'; it must be 1 to 1000.");
        if (target.Chain.Count == 0 && target.Destination is null) throw new FormatException("There is nothing to test: give --chain, HOST:PORT or both.");
        var tester = new ChainTester { Count = count, Timeout = target.ConnectTimeout };
        var results = new List<HopTestResult>();
        await foreach (HopTestResult result in tester.TestAsync(target.Chain, target.Destination, cancellationToken).ConfigureAwait(false)) results.Add(result);
        HopTable.Write(Console.Out, results);
        if (results.Find(result => result.Status != HopTestStatus.Ok) is not { } failed) return ExitCode.Ok;
        CommandLine.Fail(failed.Error?.Message ?? "the chain was not reached to its end");
        return ExitCode.Failed;
    }
}

using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Errors;

namespace ProxyShell.Commands;

/// <summary>Test-ProxyChain: one object for each hop as its test ends, and one error for the hop where the chain breaks.</summary>
[Cmdlet(VerbsDiagnostic.Test, "ProxyChain")]
[OutputType(typeof(HopTestResult))]
public sealed class TestProxyChainCommand : ProxyCmdlet
{
    private static readonly ChainTester Defaults = new();

    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(HopUriCompleter))]
    [WholeChain]
    public ChainArgument Chain { get; set; } = null!;

    [Parameter(Position = 1)]
    [ValidateNotNull]
    public EndpointArgument? Destination { get; set; }

    [Parameter]
    [ValidateRange(1, 1000)]
    public int Count { get; set; } = Defaults.Count;

    [Parameter]
    [TimeArgument]
    public TimeSpan Timeout { get; set; } = Defaults.Timeout;

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        HostEndpoint? destination = null;
        bool good = TryRead(Chain.Resolve, "InvalidChain", Chain.Target, out ProxyChain? chain);
        good &= Destination is null || TryRead(Destination.Resolve, "InvalidDestination", Destination.ToString(), out destination);
        good &= TryRead(CheckedTimeout, "InvalidOption", Timeout, out TimeSpan timeout);
        if (!good) return;
        if (chain!.Count == 0 && destination is null)
        {
            WriteError(ProblemRecord.From(new FormatException("There is nothing to test: a direct chain needs a -Destination."), "NothingToTest", Chain.Target));
            return;
        }
        try
        {
            Test(new ChainTester { Count = Count, Timeout = timeout }, chain, destination);
        }
        catch (OperationCanceledException) when (StopToken.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
    }

    private TimeSpan CheckedTimeout() =>
        Timeout > TimeSpan.Zero && Timeout <= TimeSpan.FromDays(1)
            ? Timeout
            : throw new FormatException($"Timeout is '{Timeout}'; it must be more than 0 and at most 1 day.");

    private void Test(ChainTester tester, ProxyChain chain, HostEndpoint? destination)
    {
        IAsyncEnumerator<HopTestResult> results = tester.TestAsync(chain, destination, StopToken).GetAsyncEnumerator(StopToken);
        int last = chain.Count + (destination is null ? 0 : 1);
        try
        {
            for (int number = 1; number <= last; number++)
            {
                string what = number <= chain.Count ? $"hop {number} of {chain.Count} ({chain.Hops[number - 1].Endpoint})" : $"destination {destination}";
                WriteProgress(new ProgressRecord(0, "Testing the chain", what) { PercentComplete = 100 * (number - 1) / last });
                if (!Await(results.MoveNextAsync().AsTask())) break;
                Write(results.Current, Target(results.Current, destination));
            }
            WriteProgress(new ProgressRecord(0, "Testing the chain", "done") { RecordType = ProgressRecordType.Completed });
        }
        finally
        {
            Await(results.DisposeAsync().AsTask());
        }
    }

    // the hop at fault, which need not be the one whose test failed: the last hop refuses a payload key when the destination is tested
    private static object? Target(HopTestResult result, HostEndpoint? destination)
    {
        int number = result.Error?.HopNumber ?? result.Hop;
        return number <= result.Hops.Count ? result.Hops[number - 1] : destination;
    }

    private void Write(HopTestResult result, object? tested)
    {
        WriteObject(result);
        if (result.Error is { } error) WriteError(ProblemRecord.From(error, tested));
    }
}

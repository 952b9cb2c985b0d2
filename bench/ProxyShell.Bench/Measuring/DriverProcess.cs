using System.Diagnostics;
using System.Globalization;
using ProxyShell.Bench.Peers;
using ProxyShell.Bench.Rows;

namespace ProxyShell.Bench.Measuring;

/// <summary>Two ends of a session in processes of their own, of which the near one answers a line for each line that it is told.</summary>
internal sealed class DriverProcess : IDisposable
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(60);

    private readonly Process _process;

    private DriverProcess(Process process)
    {
        _process = process;
        Tree = new ProcessTree(process.Id);
        process.ErrorDataReceived += (_, _) => { }; // of attempts to connect before the far end listened
        process.BeginErrorReadLine();
    }

    internal ProcessTree Tree { get; }

    internal static DriverProcess Start(ISessionPeer peer, BenchContext context)
    {
        int carrier = FreePorts.Take();
        var plan = new RelayPlan(0, 0, 0, context.Directory) { CarrierPort = carrier, DialledPort = carrier };
        return new DriverProcess(StartedProcesses.Start(peer.PrepareDriver(plan) with { Processors = context.RelayProcessors }));
    }

    /// <summary>Tells it a command and returns the numbers of its answer.</summary>
    internal async Task<double[]> AskNumbersAsync(string command, CancellationToken cancellationToken)
    {
        string answer = await AskAsync(command, cancellationToken);
        return [.. answer.Split(' ').Select(word => double.Parse(word, CultureInfo.InvariantCulture))];
    }

    public void Dispose() => StartedProcesses.Stop(_process);

    private async Task<string> AskAsync(string command, CancellationToken cancellationToken)
    {
        await _process.StandardInput.WriteLineAsync(command.AsMemory(), cancellationToken);
        await _process.StandardInput.FlushAsync(cancellationToken);
        string? answer = await _process.StandardOutput.ReadLineAsync(cancellationToken).AsTask().WaitAsync(AnswerTimeout, cancellationToken);
        return answer ?? throw new IOException($"the driver ended instead of answering '{command}'");
    }
}

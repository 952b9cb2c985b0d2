using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Transport.Processes;

/// <summary>
/// The standard input and output of a program as a connection; what it writes to standard error goes line by line to its owner.
/// Reading a pipe blocks, so each program has two threads of its own here: a pool thread would be missed elsewhere.
/// </summary>
internal sealed class ProcessConnection : DuplexConnection
{
    // a program that has got the end of its input may take so long to deliver what it holds
    private static readonly TimeSpan EndTime = TimeSpan.FromSeconds(1);

    private readonly Process _process;
    private readonly Stream _input;
    private readonly OutputReader _output;
    private readonly TaskCompletionSource _errorsRead = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _aborted;

    private ProcessConnection(Process process, Action<string> onErrorLine, Func<Task<string?>> explainEnd)
    {
        (_process, _input, ExplainEnd) = (process, process.StandardInput.BaseStream, explainEnd);
        _output = new OutputReader(process.StandardOutput.BaseStream, $"output of {process.Id}");
        StreamReader errors = process.StandardError;
        new Thread(() => ReadErrors(errors, onErrorLine)) { IsBackground = true, Name = $"errors of {process.Id}" }.Start();
    }

    public override EndPoint? LocalEndPoint => null;

    public override EndPoint? RemoteEndPoint => null;

    /// <summary>Completes when the program has closed its standard error, as a rule by ending, and the last line was handed over.</summary>
    public Task ErrorsRead => _errorsRead.Task;

    // asked once when the output has ended: null for an orderly end, else what broke
    private Func<Task<string?>> ExplainEnd { get; }

    /// <summary>Starts a program; <paramref name="onErrorLine"/> is called on a thread of its own.</summary>
    /// <exception cref="ProxyException">It cannot be started.</exception>
    public static ProcessConnection Start(string program, IEnumerable<string> arguments, Action<string> onErrorLine, Func<Task<string?>> explainEnd)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        try
        {
            return new ProcessConnection(Process.Start(start)!, onErrorLine, explainEnd);
        }
        catch (Win32Exception e)
        {
            throw new ProxyException(ProxyErrorReason.Unsupported, ProxyStage.Request, null, $"the program {program} cannot be started: {e.Message}", e);
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            await _input.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
            await _input.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            throw Broken(await ExplainEnd().ConfigureAwait(false) ?? e.Message, e);
        }
    }

    public override async ValueTask CompleteWritesAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _input.DisposeAsync().ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw Broken(e.Message, e);
        }
    }

    public override void Abort()
    {
        _aborted = true;
        Kill();
    }

    public override async ValueTask DisposeAsync()
    {
        try
        {
            await _input.DisposeAsync().ConfigureAwait(false);
        }
        catch (IOException)
        {
            // the program is gone: nothing is left to deliver
        }
        using var limit = new CancellationTokenSource(EndTime);
        await _process.WaitForExitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Kill();
        _output.Release();
        _process.Dispose();
    }

    protected override async ValueTask<int> ReadCoreAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int count = await _output.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        if (_aborted) throw new ProxyException(ProxyErrorReason.Aborted, ProxyStage.Relay);
        if (count == 0 && _output.HasEnded && await ExplainEnd().ConfigureAwait(false) is { } fault) throw Broken(fault, null);
        return count;
    }

    private void Kill()
    {
        try
        {
            if (!_process.HasExited) _process.Kill();
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // it ended, or was disposed of, in this very moment
        }
    }

    private void ReadErrors(StreamReader reader, Action<string> onLine)
    {
        try
        {
            while (reader.ReadLine() is { } line) onLine(line);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // the program was ended while it was speaking
        }
        _errorsRead.TrySetResult();
    }

    private static ProxyException Broken(string why, Exception? inner) => new(ProxyErrorReason.ConnectionReset, ProxyStage.Relay, null, why, inner);
}

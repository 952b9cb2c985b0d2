using System.Net;
using Microsoft.Win32.SafeHandles;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Host.Stdio;

/// <summary>
/// Standard input and output as one connection. Ending our direction closes standard output for good, since only that tells a
/// reader at the other end of a pipe that no more will come.
/// </summary>
internal sealed class StdioConnection : DuplexConnection
{
    private const int BufferLength = 64 * 1024;

    private readonly Stream _input;
    private readonly Stream _output;
    private readonly CancellationTokenSource _aborted = new();
    private readonly byte[] _buffer = new byte[BufferLength];
    private ReadOnlyMemory<byte> _read;
    private bool _ended;

    private StdioConnection(Stream input, Stream output) => (_input, _output) = (input, output);

    public override EndPoint? LocalEndPoint => null;

    public override EndPoint? RemoteEndPoint => null;

    /// <summary>Takes over standard input and output; nothing else may use the console's output afterwards.</summary>
    public static StdioConnection Open()
    {
        // a read from a pipe blocks a pool thread for as long as nobody writes: without spare threads the other way would wait too
        ThreadPool.SetMinThreads(8, 8);
        return OperatingSystem.IsWindows()
            ? new StdioConnection(Console.OpenStandardInput(), Console.OpenStandardOutput())
            : new StdioConnection(
                new FileStream(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0),
                new FileStream(new SafeFileHandle(1, ownsHandle: true), FileAccess.Write, bufferSize: 0));
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            await _output.WriteAsync(buffer, cancellationToken).AsTask().WaitAsync(_aborted.Token).ConfigureAwait(false);
            await _output.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (IsFault(e))
        {
            throw Fault("standard output", e);
        }
    }

    public override async ValueTask CompleteWritesAsync(CancellationToken cancellationToken) => await _output.DisposeAsync().ConfigureAwait(false);

    public override void Abort() => _aborted.Cancel();

    public override async ValueTask DisposeAsync()
    {
        await _aborted.CancelAsync().ConfigureAwait(false);
        await _output.DisposeAsync().ConfigureAwait(false);
    }

    protected override async ValueTask<int> ReadCoreAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            if (_read.IsEmpty && !_ended) await FillAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (IsFault(e))
        {
            throw Fault("standard input", e);
        }
        int count = Math.Min(buffer.Length, _read.Length);
        _read[..count].CopyTo(buffer);
        _read = _read[count..];
        return count;
    }

    // a blocked read of a pipe cannot be cancelled: it is left behind and ends with the process
    private async Task FillAsync(CancellationToken cancellationToken)
    {
        int count = await _input.ReadAsync(_buffer, cancellationToken).AsTask().WaitAsync(_aborted.Token).ConfigureAwait(false);
        _ended = count == 0;
        _read = _buffer.AsMemory(0, count);
    }

    private bool IsFault(Exception e) => e is IOException or ObjectDisposedException or UnauthorizedAccessException || (e is OperationCanceledException && _aborted.IsCancellationRequested);

    private static ProxyException Fault(string subject, Exception e) =>
        new(e is OperationCanceledException ? ProxyErrorReason.Aborted : ProxyErrorReason.ConnectionReset, ProxyStage.Relay, subject, e is IOException ? e.Message : null, e);
}

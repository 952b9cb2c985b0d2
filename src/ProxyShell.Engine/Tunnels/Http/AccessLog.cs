using System.Buffers;
using System.Threading.Channels;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Tunnels.Http;

/// <summary>
/// Writes a line for every request to a file, behind the back of those who serve: they never wait for the disk. When it cannot keep up, lines
/// are dropped, and when the disk fails, it says so once and goes on trying.
/// </summary>
internal sealed class AccessLog : IAsyncDisposable
{
    private const int MaxPending = 16 * 1024;

    private static readonly TimeSpan FailurePause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FarewellTime = TimeSpan.FromSeconds(5);

    private readonly Channel<HttpRequestRecord> _pending = Channel.CreateBounded<HttpRequestRecord>(
        new BoundedChannelOptions(MaxPending) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private readonly ArrayBufferWriter<byte> _lines = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly TimeProvider _time;
    private readonly Action<string> _warn;
    private readonly Task _writing;
    private LogFile? _file;
    private long _dropped;
    private bool _isBroken;

    public AccessLog(AccessLogOptions options, TimeProvider time, Action<string> warn)
    {
        (Options, _time, _warn) = (options, time, warn);
        _writing = Task.Run(WriteAllAsync);
    }

    public AccessLogOptions Options { get; }

    /// <summary>Lines that were dropped because the disk was too slow or failed.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Takes a record; never waits.</summary>
    public void Write(HttpRequestRecord request)
    {
        if (!_pending.Writer.TryWrite(request)) Interlocked.Increment(ref _dropped);
    }

    /// <summary>Writes what it was given, for at most five seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        _pending.Writer.TryComplete();
        _stop.CancelAfter(FarewellTime);
        await _writing.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task WriteAllAsync()
    {
        try
        {
            while (await _pending.Reader.WaitToReadAsync(_stop.Token).ConfigureAwait(false)) await WriteBatchAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // time is up
        }
        finally
        {
            if (_file is not null) await _file.DisposeAsync().ConfigureAwait(false);
        }
    }

    // what has gathered while the last batch was written, and at most so much that the file keeps to its size
    private async Task WriteBatchAsync()
    {
        const int MaxBatch = 64 * 1024;
        int count = 0;
        _lines.ResetWrittenCount();
        while (_lines.WrittenCount < MaxBatch && _pending.Reader.TryRead(out HttpRequestRecord? request))
        {
            AccessLogLine.Write(_lines, request, Options.Format);
            count++;
        }
        try
        {
            _file ??= new LogFile(Options);
            await _file.WriteAsync(_lines.WrittenMemory, _stop.Token).ConfigureAwait(false);
            if (_isBroken) _warn($"the access log '{Options.Path}' is written again; {Dropped} lines are missing");
            _isBroken = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Interlocked.Add(ref _dropped, count);
            await GiveUpAsync(e).ConfigureAwait(false);
        }
    }

    private async Task GiveUpAsync(Exception e)
    {
        if (!_isBroken) _warn($"cannot write the access log '{Options.Path}': {e.Message}; lines are lost until it works again");
        _isBroken = true;
        if (_file is not null) await _file.DisposeAsync().ConfigureAwait(false);
        _file = null;
        if (!_pending.Reader.Completion.IsCompleted) await Task.Delay(FailurePause, _time, _stop.Token).ConfigureAwait(false);
    }
}

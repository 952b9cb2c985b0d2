using System.IO.Pipelines;
using System.Net;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>One end of a connection within the process. Its writes wait when the other end has not read a certain number of bytes.</summary>
internal sealed class MemoryConnection : DuplexConnection
{
    private readonly PipeReader _input;
    private readonly PipeWriter _output;
    private MemoryConnection? _other;
    private int _closed;

    private MemoryConnection(PipeReader input, PipeWriter output) => (_input, _output) = (input, output);

    public override EndPoint? LocalEndPoint => null;

    public override EndPoint? RemoteEndPoint => null;

    /// <summary>How many bytes this end has written.</summary>
    public long Written { get; private set; }

    /// <summary>How many writes it took.</summary>
    public int Writes { get; private set; }

    /// <summary>Whether the other end has written something that was not read.</summary>
    public bool HasInput
    {
        get
        {
            if (!_input.TryRead(out ReadResult result)) return false;
            _input.AdvanceTo(result.Buffer.Start);
            return !result.Buffer.IsEmpty;
        }
    }

    private bool IsBroken => Volatile.Read(ref _closed) != 0 || Volatile.Read(ref _other!._closed) != 0;

    /// <summary>Both ends.</summary>
    public static (MemoryConnection Near, MemoryConnection Far) Pair(int room = 1 << 20)
    {
        var options = new PipeOptions(pauseWriterThreshold: room, resumeWriterThreshold: room / 2, useSynchronizationContext: false);
        Pipe there = new(options), back = new(options);
        MemoryConnection near = new(back.Reader, there.Writer), far = new(there.Reader, back.Writer);
        (near._other, far._other) = (far, near);
        return (near, far);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        if (IsBroken) throw Broken();
        Writes++;
        Written += buffer.Length;
        FlushResult result = await _output.WriteAsync(buffer, cancellationToken);
        if (result.IsCanceled || IsBroken) throw Broken();
    }

    public override ValueTask CompleteWritesAsync(CancellationToken cancellationToken) => _output.CompleteAsync();

    public override void Abort() => Close(Broken());

    public override ValueTask DisposeAsync()
    {
        Close(null);
        return ValueTask.CompletedTask;
    }

    protected override async ValueTask<int> ReadCoreAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _closed) != 0) throw Broken();
        ReadResult result = await _input.ReadAsync(cancellationToken);
        if (result.IsCanceled) throw Broken();
        int count = (int)Math.Min(buffer.Length, result.Buffer.Length);
        System.Buffers.BuffersExtensions.CopyTo(result.Buffer.Slice(0, count), buffer.Span);
        _input.AdvanceTo(result.Buffer.GetPosition(count));
        return count;
    }

    private void Close(Exception? error)
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0) return;
        _output.Complete(error);
        // a read may be under way, so that the reader itself must not be completed
        _input.CancelPendingRead();
        _output.CancelPendingFlush();
        _other!._output.CancelPendingFlush();
    }

    private static ProxyException Broken() => new(ProxyErrorReason.ConnectionReset, ProxyStage.Relay);
}

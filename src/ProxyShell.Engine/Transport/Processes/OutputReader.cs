using System.Diagnostics.CodeAnalysis;

namespace ProxyShell.Engine.Transport.Processes;

/// <summary>Reads a blocking stream on a thread of its own, one buffer ahead of whoever awaits the bytes.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The thread may still use them after its owner is gone; their finalizers are enough.")]
internal sealed class OutputReader
{
    private readonly byte[] _buffer = new byte[32 * 1024];
    private readonly SemaphoreSlim _filled = new(0);
    private readonly AutoResetEvent _drained = new(false);
    private readonly Stream _stream;
    private ReadOnlyMemory<byte> _bytes;
    private bool _taken;
    private volatile bool _released;

    public OutputReader(Stream stream, string name)
    {
        _stream = stream;
        new Thread(Run) { IsBackground = true, Name = name }.Start();
    }

    /// <summary>Whether everything was read and the stream has ended.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Reads some bytes; 0 at the end. An empty buffer waits until there are some.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (!_taken)
        {
            await _filled.WaitAsync(cancellationToken).ConfigureAwait(false);
            _taken = true;
        }
        HasEnded = _bytes.IsEmpty;
        int count = Math.Min(buffer.Length, _bytes.Length);
        _bytes[..count].CopyTo(buffer);
        _bytes = _bytes[count..];
        if (HasEnded || !_bytes.IsEmpty) return count;
        _taken = false;
        _drained.Set();
        return count;
    }

    /// <summary>Lets the thread end, whatever is left to read.</summary>
    public void Release()
    {
        _released = true;
        _drained.Set();
    }

    private void Run()
    {
        int count;
        do
        {
            count = Read();
            _bytes = _buffer.AsMemory(0, count);
            _filled.Release();
            if (count > 0) _drained.WaitOne();
        }
        while (count > 0 && !_released);
    }

    private int Read()
    {
        try
        {
            return _stream.Read(_buffer);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // the program was ended; its owner knows why
            return 0;
        }
    }
}

using System.Diagnostics.CodeAnalysis;

namespace ProxyShell.Engine.Transport;

/// <summary>
/// Keeps an SslStream's shutdown and its decryption apart: with OpenSSL they touch the same state, and a shutdown beside a read fails now
/// and then. A reader holds the gate except while it waits for bytes; waiting never happens inside.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The semaphore has no wait handle, so there is nothing to dispose; a late reader may still use it.")]
internal sealed class TlsGate
{
    private readonly SemaphoreSlim _turn = new(1);
    private bool _reading;

    /// <summary>Runs a read of the SslStream.</summary>
    public async ValueTask<int> ReadAsync(Stream stream, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        _reading = true;
        try
        {
            return await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _reading = false;
            _turn.Release();
        }
    }

    /// <summary>Runs the read of the inner connection that a read of the SslStream leads to.</summary>
    public async ValueTask<int> ReadInnerAsync(DuplexConnection inner, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        // during the handshake nobody shuts down
        if (!_reading) return await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        _turn.Release();
        try
        {
            return await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await _turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Starts something that touches the SslStream's state at once and then only writes; the write is awaited outside.</summary>
    public async Task StartAsync(Func<Task> start)
    {
        await _turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        Task started;
        try
        {
            started = start();
        }
        finally
        {
            _turn.Release();
        }
        await started.ConfigureAwait(false);
    }
}

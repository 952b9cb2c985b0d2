using System.Net;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Transport;

/// <summary>
/// A stream of bytes each way. Either way can end on its own (half-close); anything that is one can carry any other.
/// One read and one write may be under way at a time; <see cref="Abort()"/> may be called from anywhere.
/// </summary>
public abstract class DuplexConnection : IAbortable, IAsyncDisposable
{
    private ReadOnlyMemory<byte> _unread;

    /// <summary>This side's address, or null when there is none.</summary>
    public abstract EndPoint? LocalEndPoint { get; }

    /// <summary>The other side's address, or null when there is none.</summary>
    public abstract EndPoint? RemoteEndPoint { get; }

    /// <summary>SHA-256 of the certificate that the server's side of this connection showed in TLS, on whichever side we are; null without TLS.</summary>
    internal virtual byte[]? ServerCertificateHash => null;

    /// <summary>
    /// Reads some bytes; 0 means that the other side has ended its direction. An empty buffer waits until a read would not wait
    /// (for bytes or for the end), takes nothing and returns 0; TLS may end that wait for nothing now and then.
    /// A cancelled read takes nothing either.
    /// </summary>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_unread.IsEmpty) return ReadCoreAsync(buffer, cancellationToken);
        int count = Math.Min(buffer.Length, _unread.Length);
        _unread[..count].CopyTo(buffer);
        _unread = _unread[count..];
        return new ValueTask<int>(count);
    }

    /// <summary>Reads as <see cref="ReadAsync"/> when that needs no waiting; -1 when it does, or when only waiting tells.</summary>
    internal int TryRead(Span<byte> buffer)
    {
        if (_unread.IsEmpty) return TryReadCore(buffer);
        int count = Math.Min(buffer.Length, _unread.Length);
        _unread.Span[..count].CopyTo(buffer);
        _unread = _unread[count..];
        return count;
    }

    /// <summary>Waits, after <see cref="TryRead"/> has found nothing, for more to read, as a read with an empty buffer; it may end for nothing now and then.</summary>
    internal virtual ValueTask<int> WaitToReadAsync(CancellationToken cancellationToken) => ReadAsync(Memory<byte>.Empty, cancellationToken);

    /// <summary>Writes all the bytes and sends them on their way.</summary>
    public abstract ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Ends this side's direction; the other side reads the end after the bytes. The other direction lives on.</summary>
    public abstract ValueTask CompleteWritesAsync(CancellationToken cancellationToken);

    /// <summary>Ends both directions at once, so that the other side notices a failure; pending reads and writes fail.</summary>
    public abstract void Abort();

    /// <summary>As <see cref="Abort()"/>; the other side learns why where the transport can tell it.</summary>
    public virtual void Abort(Diagnostics.ProxyException why) => Abort();

    /// <summary>Closes the connection; what was written before is still delivered where the transport can.</summary>
    public abstract ValueTask DisposeAsync();

    /// <summary>The loop it lives on, if reading and writing is copying and a system call at most, and so may be done on the loop's thread; else null.</summary>
    internal virtual EpollLoop? Loop => null;

    /// <summary>
    /// From now on who waits goes on where the connection became ready, if it can be chosen on this loop. Only for code that never blocks and does
    /// no more than <see cref="Loop"/> says.
    /// </summary>
    internal virtual void ContinueOn(EpollLoop loop)
    {
    }

    /// <summary>Waits as a read into an empty buffer does. Until then what comes may go to the outlet at once; what it does not take is there to be read.</summary>
    internal ValueTask<int> WaitAsync(IOutlet outlet) => _unread.IsEmpty ? WaitCoreAsync(outlet) : new ValueTask<int>(0);

    /// <summary>
    /// Tells when the connection breaks, if it can know without being read or written; a socket cannot. Who is stuck in a write to the other side of a relay
    /// would not find out.
    /// </summary>
    internal virtual void TellWhenBroken(IBreakListener listener)
    {
    }

    /// <summary>Much will be written, by the process itself: what the system can do for that is done.</summary>
    internal virtual void ExpectBulk()
    {
    }

    /// <summary>
    /// Puts bytes back that were read too early; the next reads return them first, before what was put back earlier and is still there. They must
    /// stay unchanged till then.
    /// </summary>
    internal void Unread(ReadOnlyMemory<byte> bytes) => _unread = _unread.IsEmpty ? bytes : (byte[])[.. bytes.Span, .. _unread.Span];

    /// <summary>Takes the bytes that were put back, if any.</summary>
    internal ReadOnlyMemory<byte> TakeUnread()
    {
        ReadOnlyMemory<byte> bytes = _unread;
        _unread = default;
        return bytes;
    }

    /// <summary>Waits for what comes behind the bytes that were put back.</summary>
    internal virtual ValueTask<int> WaitCoreAsync(IOutlet outlet) => ReadCoreAsync(Memory<byte>.Empty, CancellationToken.None);

    /// <summary>Reads past the bytes that were put back.</summary>
    protected abstract ValueTask<int> ReadCoreAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    private protected virtual int TryReadCore(Span<byte> buffer) => -1;
}

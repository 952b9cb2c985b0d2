using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Sessions;

/// <summary>
/// Anybody's stream as the connection of a session. The end of its direction is a half-close where the stream knows one, else the close: a session
/// has nothing to read any more when it ends.
/// </summary>
internal sealed class StreamConnection(Stream stream) : DuplexConnection
{
    private int _aborted;

    public override EndPoint? LocalEndPoint => (stream as NetworkStream)?.Socket.LocalEndPoint;

    public override EndPoint? RemoteEndPoint => (stream as NetworkStream)?.Socket.RemoteEndPoint;

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            await stream.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            throw Fault(e);
        }
    }

    public override async ValueTask CompleteWritesAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (stream is NetworkStream sockets) sockets.Socket.Shutdown(SocketShutdown.Send);
            else if (stream is SslStream tls) await tls.ShutdownAsync().ConfigureAwait(false);
            else await stream.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            throw Fault(e);
        }
    }

    public override void Abort()
    {
        if (Interlocked.Exchange(ref _aborted, 1) != 0) return;
        if (stream is NetworkStream { Socket: { } socket }) socket.Close(0);
        stream.Dispose();
    }

    public override ValueTask DisposeAsync() => stream.DisposeAsync();

    protected override async ValueTask<int> ReadCoreAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            throw Fault(e);
        }
    }

    private static ProxyException Fault(Exception e) =>
        e as ProxyException ?? new(ProxyErrorReason.ConnectionReset, ProxyStage.Relay, null, "the stream broke: " + e.Message, e);
}

using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Transport.Portable;

/// <summary>A connection over a .NET socket.</summary>
internal sealed class PortableConnection(Socket socket) : DuplexConnection
{
    private int _closed;

    public override EndPoint? LocalEndPoint { get; } = socket.LocalEndPoint;

    public override EndPoint? RemoteEndPoint { get; } = socket.RemoteEndPoint;

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            while (buffer.Length > 0)
            {
                int sent = await socket.SendAsync(buffer, SocketFlags.None, cancellationToken).ConfigureAwait(false);
                buffer = buffer[sent..];
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw Fault(e);
        }
    }

    public override ValueTask CompleteWritesAsync(CancellationToken cancellationToken)
    {
        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw Fault(e);
        }
        return ValueTask.CompletedTask;
    }

    public override void Abort()
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0) return;
        try
        {
            if (RemoteEndPoint is IPEndPoint) socket.LingerState = new LingerOption(true, 0);
        }
        catch (SocketException)
        {
            // the peer was faster; closing is all that is left
        }
        socket.Dispose();
    }

    public override ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0) socket.Dispose();
        return ValueTask.CompletedTask;
    }

    protected override async ValueTask<int> ReadCoreAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            if (!buffer.IsEmpty) return await socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken).ConfigureAwait(false);
            await WaitAsync(cancellationToken).ConfigureAwait(false);
            return 0;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw Fault(e);
        }
    }

    // .NET ends an empty receive that has to wait with any event of the socket, be it an old one
    private async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        do await socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None, cancellationToken).ConfigureAwait(false);
        while (!HasInput());
    }

    // bytes or the end; a failure is thrown
    private bool HasInput()
    {
        if (!socket.Poll(TimeSpan.Zero, SelectMode.SelectRead)) return false;
        Span<byte> first = stackalloc byte[1];
        _ = socket.Receive(first, SocketFlags.Peek);
        return true;
    }

    private static ProxyException Fault(Exception e) =>
        SocketErrors.Relay(e as SocketException ?? new SocketException((int)SocketError.ConnectionAborted));
}

using System.Net;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>The connection through an ssh program together with the bridge that leads the program to its server.</summary>
internal sealed class BridgedConnection(DuplexConnection inner, SshBridge bridge) : DuplexConnection
{
    public override EndPoint? LocalEndPoint => inner.LocalEndPoint;

    public override EndPoint? RemoteEndPoint => inner.RemoteEndPoint;

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken) => inner.WriteAsync(buffer, cancellationToken);

    public override ValueTask CompleteWritesAsync(CancellationToken cancellationToken) => inner.CompleteWritesAsync(cancellationToken);

    public override void Abort() => inner.Abort();

    public override async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync().ConfigureAwait(false);
        await bridge.DisposeAsync().ConfigureAwait(false);
    }

    protected override ValueTask<int> ReadCoreAsync(Memory<byte> buffer, CancellationToken cancellationToken) => inner.ReadAsync(buffer, cancellationToken);
}

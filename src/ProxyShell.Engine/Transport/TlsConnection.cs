using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Transport;

/// <summary>A TLS connection over another connection. Half-close is the close_notify alert (RFC 8446 §6.1), then the inner half-close.</summary>
internal sealed class TlsConnection(SslStream stream, TlsRecordStream records, DuplexConnection inner, TlsGate gate) : DuplexConnection
{
    // RFC 8446 §5.1
    private const int MostInRecord = 16 * 1024;

    private volatile bool _peerEnded;

    public override EndPoint? LocalEndPoint => inner.LocalEndPoint;

    public override EndPoint? RemoteEndPoint => inner.RemoteEndPoint;

    // behind the handshake records cost little more than copying
    internal override EpollLoop? Loop => inner.Loop;

    internal override void ContinueOn(EpollLoop loop) => inner.ContinueOn(loop);

    internal override void ExpectBulk() => inner.ExpectBulk();

    internal override byte[]? ServerCertificateHash => (stream.IsServer ? stream.LocalCertificate : stream.RemoteCertificate)?.GetCertHash(HashAlgorithmName.SHA256);

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            if (buffer.Length > MostInRecord) records.Cork();
            await stream.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (buffer.Length > MostInRecord) await records.UncorkAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (IsFault(e))
        {
            throw Fault(e);
        }
    }

    public override async ValueTask CompleteWritesAsync(CancellationToken cancellationToken)
    {
        try
        {
            await gate.StartAsync(stream.ShutdownAsync).ConfigureAwait(false);
            await inner.CompleteWritesAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (_peerEnded && (e is ProxyException || IsFault(e)))
        {
            // many clients close as soon as they have said their own end: then nobody is left to be told of ours
        }
        catch (Exception e) when (IsFault(e))
        {
            throw Fault(e);
        }
    }

    public override void Abort() => inner.Abort();

    public override async ValueTask DisposeAsync()
    {
        // closing the socket first: SslStream's own disposal must not wait for a peer that does not read
        await inner.DisposeAsync().ConfigureAwait(false);
        await stream.DisposeAsync().ConfigureAwait(false);
    }

    protected override async ValueTask<int> ReadCoreAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            int count = await gate.ReadAsync(stream, buffer, cancellationToken).ConfigureAwait(false);
            if (count == 0 && !buffer.IsEmpty) _peerEnded = true;
            // as much as there is, since who reads passes on what it has; none of these waits, and so none can be cancelled with bytes in hand
            while (count > 0 && records.HasRecord && buffer.Length - count >= MostInRecord)
                count += await gate.ReadAsync(stream, buffer[count..], CancellationToken.None).ConfigureAwait(false);
            return count;
        }
        catch (Exception e) when (IsFault(e))
        {
            throw Fault(e);
        }
    }

    private static bool IsFault(Exception e) =>
        e is not (ProxyException or OperationCanceledException) && e is IOException or ObjectDisposedException or InvalidOperationException;

    private static ProxyException Fault(Exception e) =>
        new(ProxyErrorReason.ConnectionReset, ProxyStage.Relay, null, "the TLS connection broke: " + e.Message, e);
}

using System.Security.Cryptography;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Multiplexing;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Sessions;

/// <summary>The handshake of versions 1 and 2: random numbers are exchanged, and the larger one gets the odd channels.</summary>
internal static class SessionBeginning
{
    /// <summary>Returns whether this side has the odd numbers. A failure closes the connection.</summary>
    public static async ValueTask<bool?> ShakeHandsAsync(DuplexConnection connection, HeaderReader reader, SessionOptions options, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(options.HandshakeTimeout, options.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            byte[] random = RandomNumberGenerator.GetBytes(SessionHandshake.RandomLength);
            await connection.WriteAsync(SessionHandshake.Write(options.Version, random), both.Token).ConfigureAwait(false);
            UInt128 mine = SessionHandshake.Number(random), theirs = await ReadHandshakeAsync(reader, options.Version, both.Token).ConfigureAwait(false);
            if (mine == theirs) throw SessionFault.Protocol("the peer sent our own random number back: is this a connection to ourselves?");
            return mine > theirs;
        }
        catch (Exception e)
        {
            connection.Abort();
            if (e is not OperationCanceledException || cancellationToken.IsCancellationRequested) throw;
            throw SessionFault.Of(ProxyErrorReason.TimedOut, $"the peer did not begin the multiplexing protocol within {options.HandshakeTimeout.TotalSeconds:0.#} s");
        }
    }

    private static async ValueTask<UInt128> ReadHandshakeAsync(HeaderReader reader, MultiplexingVersion version, CancellationToken cancellationToken)
    {
        while (true)
        {
            HeaderStatus status = SessionHandshake.Read(version, reader.Bytes, out int length, out UInt128 random, out string fault);
            if (status == HeaderStatus.Invalid) throw SessionFault.Protocol("the peer " + fault);
            if (status == HeaderStatus.Complete)
            {
                reader.Consume(length);
                return random;
            }
            if (!await reader.ReadMoreAsync(cancellationToken).ConfigureAwait(false))
                throw SessionFault.Of(ProxyErrorReason.ConnectionClosed, "the peer closed the connection before the multiplexing protocol began");
        }
    }
}

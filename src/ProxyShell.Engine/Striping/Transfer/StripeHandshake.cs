using System.Security.Cryptography;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Striping;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>The words before the frames of a stripe: both ends prove that they know the pipe's key. docs/protocols/striping.md, "Handshake".</summary>
internal sealed class StripeHandshake(DuplexConnection connection, ProxyKey? key)
{
    /// <summary>Who is at fault when the far end refuses.</summary>
    public const string FarEnd = "the far end";

    private readonly StripeProof _proof = new(key);

    /// <summary>The near end's part; returns when the stripe is part of its pipe.</summary>
    /// <exception cref="ProxyException">The far end refuses, with its reason, or does not know the key.</exception>
    public async Task JoinAsync(StripeHello hello, CancellationToken cancellationToken)
    {
        byte[] first = (hello with { KeyId = key is null ? new byte[ProxyKey.IdLength] : key.IdBytes.ToArray(), Nonce = RandomNumberGenerator.GetBytes(StripeHello.NonceLength) }).Write();
        await connection.WriteAsync(first, cancellationToken).ConfigureAwait(false);
        await ReadAnswerAsync(cancellationToken).ConfigureAwait(false);
        byte[] challenge = await ReadAsync(StripeHello.NonceLength + StripeProof.Length, cancellationToken).ConfigureAwait(false);
        byte[] nonce = challenge[..StripeHello.NonceLength];
        if (!StripeProof.Matches(challenge.AsSpan(StripeHello.NonceLength), _proof.OfFar(first, nonce)))
            throw new ProxyException(ProxyErrorReason.AuthenticationFailed, ProxyStage.Request, FarEnd, "it does not know the key of the pipe");
        await connection.WriteAsync(_proof.OfNear(first, nonce), cancellationToken).ConfigureAwait(false);
        await ReadAnswerAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The far end's part up to the near end's proof; what follows is <see cref="AcceptAsync"/> or <see cref="RefusedAsync"/>.</summary>
    /// <exception cref="ProxyException">It is no stripe, or does not know the key; it was told so if it could be.</exception>
    public async Task<StripeHello> ChallengeAsync(CancellationToken cancellationToken)
    {
        byte[] first = await ReadAsync(StripeHello.Length, cancellationToken).ConfigureAwait(false);
        if (StripeHello.Read(first, out string fault) is not { } hello) throw Fault(ProxyErrorReason.ProtocolError, fault);
        if (!hello.KeyId.AsSpan().SequenceEqual(key is null ? new byte[ProxyKey.IdLength] : key.IdBytes))
            throw await RefusedAsync(ProxyErrorReason.AuthenticationFailed, KeyFault(hello), cancellationToken).ConfigureAwait(false);
        byte[] nonce = RandomNumberGenerator.GetBytes(StripeHello.NonceLength);
        await connection.WriteAsync((byte[])[StripeAnswer.Accepted, .. nonce, .. _proof.OfFar(first, nonce)], cancellationToken).ConfigureAwait(false);
        byte[] proof = await ReadAsync(StripeProof.Length, cancellationToken).ConfigureAwait(false);
        return StripeProof.Matches(proof, _proof.OfNear(first, nonce))
            ? hello
            : throw await RefusedAsync(ProxyErrorReason.AuthenticationFailed, "the proof is not that of the key", cancellationToken).ConfigureAwait(false);
    }

    public async Task AcceptAsync(CancellationToken cancellationToken) =>
        await connection.WriteAsync((byte[])[StripeAnswer.Accepted], cancellationToken).ConfigureAwait(false);

    /// <summary>Tells the near end why not; returns the error for this end.</summary>
    public async Task<ProxyException> RefusedAsync(ProxyErrorReason reason, string text, CancellationToken cancellationToken)
    {
        await connection.WriteAsync(StripeAnswer.Refuse(reason, text), cancellationToken).ConfigureAwait(false);
        return Fault(reason, text);
    }

    private string KeyFault(StripeHello hello) =>
        key is null ? "a key was used, and this end has none" : hello.KeyId.All(b => b == 0) ? "a key is needed, and none was used" : "another key was used";

    private async Task ReadAnswerAsync(CancellationToken cancellationToken)
    {
        byte status = (await ReadAsync(1, cancellationToken).ConfigureAwait(false))[0];
        if (status == StripeAnswer.Accepted) return;
        byte[] head = status == StripeAnswer.Refused ? await ReadAsync(StripeAnswer.RefusalHead, cancellationToken).ConfigureAwait(false) : [];
        if (head.Length == 0 || !StripeAnswer.TryReadHead(head, out ProxyErrorReason reason, out int length))
            throw new ProxyException(ProxyErrorReason.ProtocolError, ProxyStage.Request, FarEnd, "what it says is no answer to a stripe");
        ProxyException told = StripeWords.Read(reason, length == 0 ? [] : await ReadAsync(length, cancellationToken).ConfigureAwait(false));
        throw new ProxyException(told.Reason, ProxyStage.Request, FarEnd, $"it refuses the stripe: {told.Detail}");
    }

    private async Task<byte[]> ReadAsync(int length, CancellationToken cancellationToken)
    {
        var bytes = new byte[length];
        for (int filled = 0; filled < length;)
        {
            int count = await connection.ReadAsync(bytes.AsMemory(filled), cancellationToken).ConfigureAwait(false);
            if (count == 0) throw Fault(ProxyErrorReason.ConnectionClosed, "closed the connection within the handshake of a stripe");
            filled += count;
        }
        return bytes;
    }

    private static ProxyException Fault(ProxyErrorReason reason, string text) => new(reason, ProxyStage.Request, null, text);
}

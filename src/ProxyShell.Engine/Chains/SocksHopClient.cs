using System.Buffers;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Socks;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>
/// Speaks SOCKS version 5 (RFC 1928, RFC 1929) with a hop. Names are passed on as names: the hop, or one behind it, resolves them.
/// </summary>
internal sealed class SocksHopClient : IHopClient
{
    public static SocksHopClient Instance { get; } = new();

    public async ValueTask<DuplexConnection> ConnectAsync(DuplexConnection connection, ProxyHop hop, HostEndpoint next, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Socks5CredentialCodec.MaxLength);
        try
        {
            using var reader = new HeaderReader(connection, Socks5ReplyCodec.MaxLength);
            await connection.WriteAsync(buffer.AsMemory(0, WriteGreeting(buffer, hop.Credential)), cancellationToken).ConfigureAwait(false);
            SocksMethod method = await ReadChoiceAsync(reader, cancellationToken).ConfigureAwait(false);
            if (method == SocksMethod.UserPassword && hop.Credential is { } credential)
                await ShowAsync(credential, connection, reader, buffer, cancellationToken).ConfigureAwait(false);
            else if (method != SocksMethod.None)
                throw Unacceptable(method, hop.Credential);
            await connection.WriteAsync(buffer.AsMemory(0, WriteRequest(buffer, next)), cancellationToken).ConfigureAwait(false);
            await ReadReplyAsync(reader, cancellationToken).ConfigureAwait(false);
            return connection;
        }
        catch (ProxyException e) when (e.Stage == ProxyStage.Relay)
        {
            throw Broken(e.Reason, $"{e.Detail} instead of an answer", e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: hop.Credential is not null);
        }
    }

    private static int WriteGreeting(byte[] buffer, ProxyCredential? credential) => credential is null
        ? Socks5GreetingCodec.Write(buffer, SocksMethod.None)
        : Socks5GreetingCodec.Write(buffer, SocksMethod.None, SocksMethod.UserPassword);

    private static int WriteRequest(byte[] buffer, HostEndpoint next)
    {
        try
        {
            return Socks5RequestCodec.Write(buffer, SocksCommand.Connect, next);
        }
        catch (FormatException e)
        {
            throw Broken(ProxyErrorReason.Unsupported, e.Message, e);
        }
    }

    private static async ValueTask<SocksMethod> ReadChoiceAsync(HeaderReader reader, CancellationToken cancellationToken)
    {
        while (reader.Bytes.Length < Socks5GreetingCodec.ChoiceLength) await ReadMoreAsync(reader, cancellationToken).ConfigureAwait(false);
        SocksMethod? choice = Socks5GreetingCodec.ReadChoice(reader.Bytes);
        reader.Consume(Socks5GreetingCodec.ChoiceLength);
        return choice ?? throw Broken(ProxyErrorReason.ProtocolError, "its answer is not one of a SOCKS5 server");
    }

    private static async ValueTask ShowAsync(
        ProxyCredential credential, DuplexConnection connection, HeaderReader reader, byte[] buffer, CancellationToken cancellationToken)
    {
        int length = Socks5CredentialCodec.Write(buffer, credential.UserName, credential.Password);
        await connection.WriteAsync(buffer.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
        while (reader.Bytes.Length < Socks5CredentialCodec.AnswerLength) await ReadMoreAsync(reader, cancellationToken).ConfigureAwait(false);
        bool accepted = Socks5CredentialCodec.IsAcceptance(reader.Bytes);
        reader.Consume(Socks5CredentialCodec.AnswerLength);
        if (!accepted) throw Broken(ProxyErrorReason.AuthenticationFailed, $"does not accept the user name and password of '{credential.UserName}'");
    }

    private static async ValueTask ReadReplyAsync(HeaderReader reader, CancellationToken cancellationToken)
    {
        int length;
        HeaderStatus status;
        string fault;
        while ((status = Socks5ReplyCodec.Measure(reader.Bytes, out length, out fault)) == HeaderStatus.Incomplete)
            await ReadMoreAsync(reader, cancellationToken).ConfigureAwait(false);
        if (status == HeaderStatus.Invalid) throw Broken(ProxyErrorReason.ProtocolError, fault);
        SocksReplyCode code = Socks5ReplyCodec.CodeOf(reader.Bytes);
        reader.Consume(length);
        if (code != SocksReplyCode.Succeeded) throw Refusal(code);
    }

    private static async ValueTask ReadMoreAsync(HeaderReader reader, CancellationToken cancellationToken)
    {
        if (!await reader.ReadMoreAsync(cancellationToken).ConfigureAwait(false))
            throw Broken(ProxyErrorReason.ConnectionClosed, "closed the connection without an answer");
    }

    private static ProxyException Unacceptable(SocksMethod method, ProxyCredential? credential) => (method, credential) switch
    {
        (SocksMethod.Unacceptable or SocksMethod.UserPassword, null) => Broken(ProxyErrorReason.AuthenticationFailed, "demands a user name and password"),
        (SocksMethod.Unacceptable, _) => Broken(ProxyErrorReason.AuthenticationFailed, "accepts no user name and password"),
        _ => Broken(ProxyErrorReason.ProtocolError, $"chose the method of authentication {(byte)method}, which was not offered"),
    };

    // what the hop says of itself is its own fault; what it says of the next address speaks of that
    private static ProxyException Refusal(SocksReplyCode code) => code switch
    {
        SocksReplyCode.NotAllowed => new ProxyException(ProxyErrorReason.Forbidden, ProxyStage.Policy, null, "forbids the destination"),
        SocksReplyCode.NetworkUnreachable => new ProxyException(ProxyErrorReason.NetworkUnreachable, ProxyStage.Dial),
        SocksReplyCode.HostUnreachable => new ProxyException(ProxyErrorReason.HostUnreachable, ProxyStage.Dial),
        SocksReplyCode.ConnectionRefused => new ProxyException(ProxyErrorReason.ConnectionRefused, ProxyStage.Dial),
        SocksReplyCode.TtlExpired => new ProxyException(ProxyErrorReason.TimedOut, ProxyStage.Dial),
        SocksReplyCode.CommandNotSupported => Broken(ProxyErrorReason.Unsupported, "does not support CONNECT"),
        SocksReplyCode.AddressTypeNotSupported => Broken(ProxyErrorReason.Unsupported, "does not support this type of address"),
        SocksReplyCode.GeneralFailure => Broken(ProxyErrorReason.Other, "answered with a general failure (SOCKS5 reply 1)"),
        _ => Broken(ProxyErrorReason.Other, $"answered with the unknown SOCKS5 reply {(byte)code}"),
    };

    private static ProxyException Broken(ProxyErrorReason reason, string detail, Exception? inner = null) => new(reason, ProxyStage.Request, null, detail, inner);
}

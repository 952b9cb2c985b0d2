using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Socks;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>Version 5: greeting, user name and password, request (RFC 1928 §3 and §4, RFC 1929).</summary>
internal sealed partial class SocksInbound
{
    private async Task ServeVersion5Async(ServedConnection served, HeaderReader reader)
    {
        SocksMethod method = await ReadGreetingAsync(served, reader).ConfigureAwait(false);
        if (method == SocksMethod.UserPassword)
            await CheckCredentialAsync(served, reader).ConfigureAwait(false);
        else
            await served.Client.WriteAsync(Socks5GreetingCodec.NoneChosen, served.Clock.Token).ConfigureAwait(false);
        SocksRequest request = await ReadRequestAsync(served, reader).ConfigureAwait(false);
        reader.Dispose();
        await ExecuteAsync(served, request).ConfigureAwait(false);
    }

    private async ValueTask<SocksMethod> ReadGreetingAsync(ServedConnection served, HeaderReader reader)
    {
        int length;
        while (Socks5GreetingCodec.Measure(reader.Bytes, out length) != HeaderStatus.Complete)
            await InboundContext.ReadMoreAsync(served, reader, "a SOCKS5 greeting").ConfigureAwait(false);
        SocksMethod method = Choose(reader.Bytes[..length]);
        reader.Consume(length);
        if (method == SocksMethod.Unacceptable) await RefuseGreetingAsync(served).ConfigureAwait(false);
        return method;
    }

    // a client that insists on showing a name and password where nobody asks is let in with any
    private SocksMethod Choose(ReadOnlySpan<byte> greeting)
    {
        if (Context.Credentials.Count == 0 && Socks5GreetingCodec.Offers(greeting, SocksMethod.None)) return SocksMethod.None;
        return Socks5GreetingCodec.Offers(greeting, SocksMethod.UserPassword) ? SocksMethod.UserPassword : SocksMethod.Unacceptable;
    }

    private Task RefuseGreetingAsync(ServedConnection served) => Context.Credentials.Count > 0
        ? RefuseAsync(served, Socks5GreetingCodec.NothingAcceptable, ProxyErrorReason.AuthenticationFailed, "offers no user name and password, and they are required")
        : RefuseAsync(served, Socks5GreetingCodec.NothingAcceptable, ProxyErrorReason.Unsupported, "offers no method of authentication that is known here");

    private async ValueTask CheckCredentialAsync(ServedConnection served, HeaderReader reader)
    {
        await served.Client.WriteAsync(Socks5GreetingCodec.UserPasswordChosen, served.Clock.Token).ConfigureAwait(false);
        int length;
        HeaderStatus status;
        string fault;
        while ((status = Socks5CredentialCodec.Measure(reader.Bytes, out length, out fault)) == HeaderStatus.Incomplete)
            await InboundContext.ReadMoreAsync(served, reader, "a user name and password").ConfigureAwait(false);
        if (status == HeaderStatus.Invalid) await RefuseAsync(served, Socks5CredentialCodec.Rejected, ProxyErrorReason.ProtocolError, fault).ConfigureAwait(false);
        bool admitted = Socks5CredentialCodec.TryRead(reader.Bytes[..length], out string userName, out string password) && Context.Admits(userName, password);
        reader.Consume(length);
        if (!admitted) await RefuseAsync(served, Socks5CredentialCodec.Rejected, ProxyErrorReason.AuthenticationFailed, "wrong user name or password").ConfigureAwait(false);
        await served.Client.WriteAsync(Socks5CredentialCodec.Accepted, served.Clock.Token).ConfigureAwait(false);
    }

    private async ValueTask<SocksRequest> ReadRequestAsync(ServedConnection served, HeaderReader reader)
    {
        int length;
        HeaderStatus status;
        string fault;
        while ((status = Socks5RequestCodec.Measure(reader.Bytes, out length, out fault)) == HeaderStatus.Incomplete)
            await InboundContext.ReadMoreAsync(served, reader, "a SOCKS5 request").ConfigureAwait(false);
        SocksRequestReading reading = status == HeaderStatus.Complete
            ? Socks5RequestCodec.Read(reader.Bytes[..length])
            : SocksRequestReading.Refuse(SocksReplyCode.GeneralFailure, fault);
        reader.Consume(length);
        if (reading.Refusal != SocksReplyCode.Succeeded) await RefuseAsync(served, SocksVersion.Five, reading.Refusal, reading.Fault).ConfigureAwait(false);
        return reading.Request;
    }
}

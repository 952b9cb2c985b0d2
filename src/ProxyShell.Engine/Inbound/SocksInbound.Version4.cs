using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Socks;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>Versions 4 and 4a: one request, which has a user id but nothing that would prove it.</summary>
internal sealed partial class SocksInbound
{
    private async Task ServeVersion4Async(ServedConnection served, HeaderReader reader)
    {
        int length;
        HeaderStatus status;
        string fault;
        while ((status = Socks4RequestCodec.Measure(reader.Bytes, out length, out fault)) == HeaderStatus.Incomplete)
            await InboundContext.ReadMoreAsync(served, reader, "a SOCKS4 request").ConfigureAwait(false);
        SocksRequestReading reading = status == HeaderStatus.Complete
            ? Socks4RequestCodec.Read(reader.Bytes[..length])
            : SocksRequestReading.Refuse(SocksReplyCode.GeneralFailure, fault);
        reader.Consume(length);
        reader.Dispose();
        if (Context.Credentials.Count > 0)
            await RefuseUserAsync(served).ConfigureAwait(false);
        else if (reading.Refusal != SocksReplyCode.Succeeded)
            await RefuseAsync(served, SocksVersion.Four, reading.Refusal, reading.Fault).ConfigureAwait(false);
        else
            await ExecuteAsync(served, reading.Request).ConfigureAwait(false);
    }

    private Task RefuseUserAsync(ServedConnection served)
    {
        var answer = new byte[Socks4ReplyCodec.Length];
        Socks4ReplyCodec.Write(answer, Socks4ReplyCodec.UserRejected, null);
        return RefuseAsync(served, answer, ProxyErrorReason.AuthenticationFailed, "speaks SOCKS4, which has no password, and one is required");
    }
}

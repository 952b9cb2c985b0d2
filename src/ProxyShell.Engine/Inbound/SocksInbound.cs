using System.Net;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Socks;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>
/// Serves SOCKS versions 4, 4a and 5 (docs/protocols/socks.md): reads what the client wants in its version, then does it. Requests
/// are answered when they are fulfilled, refusals with their true reason.
/// </summary>
internal sealed partial class SocksInbound(InboundContext context) : InboundProtocol(context)
{
    public override string Name => "socks5";

    public override bool Begins(byte first) => first is SocksVersion.Four or SocksVersion.Five;

    public override ReadOnlyMemory<byte> TooMany(byte first) =>
        // in version 5 nothing can be told before the client was asked who it is
        first == SocksVersion.Four ? Reply(SocksVersion.Four, SocksReplyCode.GeneralFailure, null) : default;

    public override Task ServeAsync(ServedConnection served, HeaderReader reader)
    {
        byte version = reader.Bytes[0];
        if (!Begins(version)) throw InboundContext.Refused(served, ProxyErrorReason.ProtocolError, $"begins with byte 0x{version:X2}: this is not SOCKS");
        served.Record.Protocol = NameOf(version);
        return version == SocksVersion.Five ? ServeVersion5Async(served, reader) : ServeVersion4Async(served, reader);
    }

    private Task ExecuteAsync(ServedConnection served, SocksRequest request) => request.Command switch
    {
        SocksCommand.Connect => ConnectAsync(served, request),
        SocksCommand.Bind => BindAsync(served, request),
        _ => AssociateAsync(served, request),
    };

    private async Task RefuseAsync(ServedConnection served, ReadOnlyMemory<byte> answer, ProxyErrorReason reason, string detail)
    {
        await Context.TellAsync(served, answer).ConfigureAwait(false);
        throw InboundContext.Refused(served, reason, detail);
    }

    private Task RefuseAsync(ServedConnection served, byte version, SocksReplyCode code, string detail) =>
        RefuseAsync(served, Reply(version, code, null), ReasonOf(code), detail);

    /// <summary>Tells a client of a command other than CONNECT why it failed.</summary>
    private Task RefuseAsync(ServedConnection served, byte version, ProxyException error)
    {
        served.WasRefused = error.Stage is ProxyStage.Policy or ProxyStage.Request;
        return Context.TellAsync(served, Reply(version, error.Reason == ProxyErrorReason.Unsupported ? SocksReplyCode.CommandNotSupported : CodeOf(error.Reason), null));
    }

    private static ProxyException Unsupported(string detail) =>
        new(ProxyErrorReason.Unsupported, ProxyStage.Request, "client", detail) { Side = ProxySide.Client };

    private static ValueTask ReplyAsync(ServedConnection served, byte version, IPEndPoint? bound) =>
        served.Client.WriteAsync(Reply(version, SocksReplyCode.Succeeded, bound), served.Clock.Token);

    private static byte[] Reply(byte version, SocksReplyCode code, IPEndPoint? bound)
    {
        Span<byte> buffer = stackalloc byte[Socks5ReplyCodec.MaxLength];
        int length = Socks4ReplyCodec.Length;
        if (version == SocksVersion.Five) length = Socks5ReplyCodec.Write(buffer, code, bound);
        else Socks4ReplyCodec.Write(buffer, code == SocksReplyCode.Succeeded ? Socks4ReplyCodec.Granted : Socks4ReplyCodec.Rejected, bound);
        return buffer[..length].ToArray();
    }

    private static string NameOf(byte version) => version == SocksVersion.Five ? "socks5" : "socks4";

    private static ProxyErrorReason ReasonOf(SocksReplyCode code) => code switch
    {
        SocksReplyCode.NotAllowed => ProxyErrorReason.Forbidden,
        SocksReplyCode.CommandNotSupported or SocksReplyCode.AddressTypeNotSupported => ProxyErrorReason.Unsupported,
        _ => ProxyErrorReason.ProtocolError,
    };

    private static SocksReplyCode CodeOf(ProxyErrorReason reason) => reason switch
    {
        ProxyErrorReason.Forbidden => SocksReplyCode.NotAllowed,
        ProxyErrorReason.NetworkUnreachable => SocksReplyCode.NetworkUnreachable,
        ProxyErrorReason.HostUnreachable or ProxyErrorReason.NameNotFound => SocksReplyCode.HostUnreachable,
        ProxyErrorReason.ConnectionRefused => SocksReplyCode.ConnectionRefused,
        ProxyErrorReason.TimedOut => SocksReplyCode.TtlExpired,
        _ => SocksReplyCode.GeneralFailure,
    };
}

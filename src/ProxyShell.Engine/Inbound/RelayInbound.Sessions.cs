using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Sessions;

namespace ProxyShell.Engine.Inbound;

/// <summary>Sessions (docs/protocols/relay.md, "Sessions").</summary>
internal sealed partial class RelayInbound
{
    private async Task ServeSessionAsync(ServedConnection served, RelayRequestReading reading)
    {
        if (served.IsChannel || Context.Host is not { } host)
        {
            await RefuseAsync(served, reading, ProxyErrorReason.Unsupported, served.IsChannel ? "a channel of a session cannot become a session" : "no sessions are served here").ConfigureAwait(false);
            return;
        }
        (served.Record.Protocol, served.Record.Destination) = ("session", "");
        await SendAsync(served.Client, new RelayResponse { Nonce = reading.Nonce, Salt = RelayResponseCodec.NewSalt(), Reason = ProxyErrorReason.None }, reading.Key, served.Clock.Token).ConfigureAwait(false);
        MultiplexedSession session = await MultiplexedSession.StartAsync(served.Client, new SessionOptions { Time = Context.Time }, served.Clock.Token).ConfigureAwait(false);
        await new InboundSession(session, served, Context, host).RunAsync().ConfigureAwait(false);
    }
}

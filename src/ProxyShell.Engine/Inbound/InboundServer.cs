using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>Serves clients who say where they want to go, in one of several protocols.</summary>
internal sealed class InboundServer(InboundSwitch inbound, ServiceOptions options) : IClientServer
{
    public Task ServeAsync(ServedConnection served) => inbound.ServeAsync(served);

    // before a TLS handshake nothing can be told
    public ValueTask TurnAwayAsync(DuplexConnection connection) => options.SpeaksTls
        ? LingeringClose.RunAsync(connection, options.TimeProvider)
        : inbound.TurnAwayAsync(connection, options.TimeProvider);
}

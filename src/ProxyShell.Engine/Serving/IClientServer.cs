using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Serving;

/// <summary>What a service does with its clients. Made from the options and exchanged with them; who is served by one stays with it.</summary>
internal interface IClientServer
{
    /// <summary>Serves one connection and closes it. Failures are thrown as <see cref="Diagnostics.ProxyException"/>s.</summary>
    Task ServeAsync(ServedConnection served);

    /// <summary>Tells a client over the limit why it is turned away, and closes the connection; must not take long.</summary>
    ValueTask TurnAwayAsync(DuplexConnection connection);
}

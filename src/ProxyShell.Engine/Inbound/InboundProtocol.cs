using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>A protocol in which clients say where they want to go. One object serves all connections of a service.</summary>
internal abstract class InboundProtocol(InboundContext context)
{
    /// <summary>The name in records and messages: <c>relay</c>, <c>socks5</c>, <c>http</c>.</summary>
    public abstract string Name { get; }

    protected InboundContext Context { get; } = context;

    /// <summary>Whether a conversation in this protocol begins with this byte.</summary>
    public abstract bool Begins(byte first);

    /// <summary>What a client is told that is one too many and whose conversation begins with this byte; empty for nothing.</summary>
    public virtual ReadOnlyMemory<byte> TooMany(byte first) => default;

    /// <summary>
    /// Serves a connection whose first bytes, at least one, are in the reader. The reader is disposed before relaying begins: that puts
    /// back what was read too much, and an idle connection holds no buffer. Failures are thrown as
    /// <see cref="Diagnostics.ProxyException"/>s after the client was told in its protocol (<see cref="ServedConnection.WasTold"/>).
    /// </summary>
    public abstract Task ServeAsync(ServedConnection served, HeaderReader reader);
}

using System.Net;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Relaying;

/// <summary>
/// The way of one flow of datagrams to its destination, whatever lies between: nothing, relay hops, or a stream through hops. What comes
/// back goes to the <see cref="IDatagramSink"/> that the path was made with.
/// </summary>
internal abstract class DatagramPath : IAbortable
{
    /// <summary>The most bytes that one datagram can carry on this way.</summary>
    public abstract int MaxPayload { get; }

    /// <summary>The address from which answers come, or null when only a hop knows it.</summary>
    public virtual IPEndPoint? Source => null;

    /// <summary>Sends a datagram; never waits. False when it is too long or cannot be taken now: then it is lost. One call at a time.</summary>
    public abstract bool Send(ReadOnlySpan<byte> payload);

    /// <summary>Closes the path without a word to the sink.</summary>
    public abstract void Abort();
}

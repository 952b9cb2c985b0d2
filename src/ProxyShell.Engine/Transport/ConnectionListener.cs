using System.Net;

namespace ProxyShell.Engine.Transport;

/// <summary>A bound listening socket that hands each accepted connection to its owner.</summary>
internal abstract class ConnectionListener : IAsyncDisposable
{
    /// <summary>The bound address, with the real port.</summary>
    public abstract EndPoint LocalEndPoint { get; }

    /// <summary>
    /// Starts accepting. <paramref name="accepted"/> must return soon; <paramref name="trouble"/> is told of accept errors,
    /// after which accepting pauses for the back-off (25 ms, doubling up to 1 s while errors go on).
    /// </summary>
    public abstract void Start(Action<DuplexConnection> accepted, Action<Exception> trouble);

    /// <summary>Stops accepting and closes the socket.</summary>
    public abstract ValueTask DisposeAsync();
}

using System.Net;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Jobs;

/// <summary>A job whose service listens on an address.</summary>
public abstract class ListenerJob : ProxyJob
{
    private readonly ListenerService _listener;

    private protected ListenerJob(ListenerService listener, string command, string jobTypeName)
        : base(listener, command, jobTypeName) => _listener = listener;

    /// <summary>The address listened on.</summary>
    public EndPoint LocalEndpoint => _listener.LocalEndPoint;

    /// <summary>The port listened on; 0 for Unix sockets.</summary>
    public int LocalPort => _listener.LocalPort;

    /// <summary>
    /// The address as others use it: a hop URI for proxy servers, <c>tcp://host:port</c> for access listeners, what agents register at for gateways,
    /// the peer to give to near ends for the far end of a striped pipe.
    /// </summary>
    public string Uri => _listener.Uri;

    /// <summary>The address listened on, as text.</summary>
    public override string Location => LocalEndpoint.ToString() ?? "";

    private protected override string RunningMessage => $"listening on {LocalEndpoint}, {Counted(ActiveConnections, "connection")} open";

    private protected override string StoppingMessage => "no longer listening";
}

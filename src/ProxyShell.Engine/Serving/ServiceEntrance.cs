using System.Net;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Serving;

/// <summary>
/// One more address at which a service accepts connections: they share the service's limits, records, events and stop, and are served by a
/// server of their own, made from the options and anew when these change. The service's TLS is not laid over them.
/// </summary>
internal sealed class ServiceEntrance(EndPoint address, Func<ServiceOptions, IClientServer> makeServer)
{
    private ConnectionListener? _listener;
    private EndPoint? _local;
    private (ServiceSetup Of, ServiceSetup Own)? _setup;

    /// <summary>The bound address; before that the one asked for.</summary>
    public EndPoint LocalEndPoint => _local ?? address;

    /// <summary>The bound port; 0 for Unix sockets.</summary>
    public int LocalPort => (LocalEndPoint as IPEndPoint)?.Port ?? 0;

    /// <summary>Binds the address; failures name it.</summary>
    public void Bind(SocketTransport sockets)
    {
        _listener = sockets.Listen(address);
        _local = _listener.LocalEndPoint;
    }

    public void Start(Action<DuplexConnection> accepted, Action<Exception> trouble) => _listener!.Start(accepted, trouble);

    public ValueTask CloseAsync() => Interlocked.Exchange(ref _listener, null)?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>The service's setup, with the server of this entrance.</summary>
    public ServiceSetup SetupOf(ServiceSetup service)
    {
        lock (makeServer)
        {
            if (_setup is { } made && ReferenceEquals(made.Of, service)) return made.Own;
            ServiceSetup own = service with { Tls = null, Clients = makeServer(service.Options) };
            _setup = (service, own);
            return own;
        }
    }
}

using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Access;

/// <summary>A local port whose every connection goes through a chain to one destination.</summary>
public sealed class AccessListener : ListenerService
{
    private readonly AccessListenerOptions _options;
    private readonly FlightTarget _target;
    private readonly Outbound _outbound;
    private readonly InboundContext _context;

    /// <summary>Makes a listener; it listens after <see cref="ListenerService.StartAsync"/>.</summary>
    /// <exception cref="FormatException">An option is out of range; the message names it.</exception>
    public AccessListener(AccessListenerOptions options)
        : base(options ?? throw new ArgumentNullException(nameof(options)), "AccessListener")
    {
        _options = options;
        _target = new FlightTarget(TransportAddress.Tcp(options.Destination), TlsTrust.System, null);
        var connector = new ChainConnector(new Dialer(options.Sockets, NameResolver.Default), options.TimeProvider);
        _outbound = new Outbound(connector, DestinationPolicy.AllowAll, options.Chain);
        _context = new InboundContext(options, Registry, _outbound, []);
    }

    /// <summary>Where every connection goes.</summary>
    public HostEndpoint Destination => _options.Destination;

    /// <summary>The hops on the way.</summary>
    public ProxyChain Chain => _options.Chain;

    /// <inheritdoc />
    public override string Uri => LocalEndPoint is System.Net.IPEndPoint endpoint ? $"tcp://{endpoint}" : $"unix:{LocalEndPoint}";

    private protected override bool AuthenticatesClients => false;

    private protected override async Task ServeAsync(ServedConnection served)
    {
        DuplexConnection upstream = await _context.ConnectAsync(served, "tcp", _target, new EarlyPayload(served.Client, served.Record)).ConfigureAwait(false);
        await _context.RelayAsync(served, served.Client, upstream).ConfigureAwait(false);
    }
}

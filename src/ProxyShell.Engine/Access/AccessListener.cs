using System.Net;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Chains.Pool;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Access;

/// <summary>A local port whose every connection goes through a chain, to one destination or to where its client asks for.</summary>
public sealed class AccessListener : ListenerService
{
    private readonly Outbound _outbound;
    private readonly ForwardingPort? _datagrams;

    /// <summary>Makes a listener; it listens after <see cref="ListenerService.StartAsync"/>.</summary>
    /// <exception cref="FormatException">An option is out of range; the message names it.</exception>
    public AccessListener(AccessListenerOptions options)
        : base(options ?? throw new ArgumentNullException(nameof(options)), "AccessListener")
    {
        var connector = new ChainConnector(new Dialer(options.Sockets, NameResolver.Default), options.TimeProvider);
        _outbound = new Outbound(connector, MakeRoutes(options));
        if (options.Udp) _datagrams = new ForwardingPort(options.Destination!);
        _outbound.UseSessions(Name, SessionPooling.Default, Registry);
        Adopt(options);
    }

    /// <summary>The options it goes by now.</summary>
    public AccessListenerOptions Options => (AccessListenerOptions)CurrentOptions;

    /// <summary>Where every connection goes; null when clients say so themselves.</summary>
    public HostEndpoint? Destination => Options.Destination;

    /// <summary>The hops on the way.</summary>
    public ProxyChain Chain => _outbound.Routes.DefaultChain;

    /// <inheritdoc />
    public override string Uri => LocalEndPoint is not IPEndPoint endpoint ? $"unix:{LocalEndPoint}"
        : _datagrams is not null ? $"udp://{endpoint}"
        : Destination is not null ? $"tcp://{endpoint}" : AsHop(endpoint).Uri;

    private protected override DatagramPort? Datagrams => _datagrams;

    private protected override bool AcceptsConnections => _datagrams is null;

    private protected override Outbound Outbound => _outbound;

    /// <inheritdoc cref="ListenerService.Reconfigure"/>
    public void Reconfigure(AccessListenerOptions options) => base.Reconfigure(options);

    private protected override RouteTable MakeRoutes(ServiceOptions options) =>
        new(DestinationPolicy.AllowAll, ((AccessListenerOptions)options).Chain, options.Rules, options.BlockByDefault);

    private protected override IClientServer MakeServer(ServiceOptions options)
    {
        var own = (AccessListenerOptions)options;
        var context = new InboundContext(own, Registry, _outbound, own.Credentials);
        _datagrams?.Use(context);
        return own.Destination is { } destination
            ? new DestinationForwarder(context, destination, own.SendProxyProtocol, BindAddress)
            : new InboundServer(new InboundSwitch([.. InboundSwitch.Foreign(own.Served.Served, context)]), own);
    }

    private ProxyHop AsHop(IPEndPoint endpoint)
    {
        var host = HostEndpoint.From(endpoint);
        return new ProxyHop(Options.SpeaksTls ? TransportAddress.Tls(host) : TransportAddress.Tcp(host)) { Protocol = Options.Served.HopProtocol };
    }
}

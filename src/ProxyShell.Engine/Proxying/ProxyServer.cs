using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Proxying;

/// <summary>Serves proxy protocols on one port: connects clients to the next hop or the destination that they name.</summary>
public sealed class ProxyServer : ListenerService
{
    private readonly ReplayWindow _replays;
    private readonly Outbound _outbound;
    private readonly RelayDatagramPort? _datagrams;

    /// <summary>Makes a server; it listens after <see cref="ListenerService.StartAsync"/>.</summary>
    /// <exception cref="FormatException">An option is out of range; the message names it.</exception>
    public ProxyServer(ProxyServerOptions options)
        : base(options ?? throw new ArgumentNullException(nameof(options)), "ProxyServer")
    {
        _replays = new ReplayWindow(options.ClockWindow, options.TimeProvider);
        var connector = new ChainConnector(new Dialer(options.Sockets, NameResolver.Default), options.TimeProvider);
        _outbound = new Outbound(connector, MakeRoutes(options));
        bool takesDatagrams = options is { Udp: true, SpeaksTls: false } && options.Served.Served.HasFlag(ProxyProtocols.Relay) && BindAddress is IPEndPoint;
        if (takesDatagrams) _datagrams = new RelayDatagramPort(options.TimeProvider);
        _outbound.UseSessions(Name, options.Sessions, Registry);
        Adopt(options);
    }

    /// <summary>The options it goes by now.</summary>
    public ProxyServerOptions Options => (ProxyServerOptions)CurrentOptions;

    /// <inheritdoc />
    public override string Uri => LocalEndPoint is UnixDomainSocketEndPoint path && Options.Served.HopProtocol != HopProtocol.Relay ? $"unix:{path}" : BareHop.Uri;

    /// <summary>
    /// This server as a hop for clients on this machine, with its (first) key or credential and with its certificate pinned; a relay hop
    /// when it serves relay headers, else a SOCKS5 or an HTTP hop.
    /// </summary>
    public ProxyHop ToHop()
    {
        ProxyHop hop = BareHop;
        hop = hop.Protocol == HopProtocol.Relay
            ? hop with { Key = Options.Keys is [var key, ..] ? key : null }
            : hop with { Credential = Options.Credentials is [var credential, ..] ? credential : null };
        return Options.DefaultCertificate is { } certificate
            ? hop with { Trust = TlsTrust.Pinned(certificate.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256)) }
            : hop;
    }

    private protected override Outbound Outbound => _outbound;

    private protected override DatagramPort? Datagrams => _datagrams;

    /// <inheritdoc cref="ListenerService.Reconfigure"/>
    public void Reconfigure(ProxyServerOptions options) => base.Reconfigure(options);

    private protected override RouteTable MakeRoutes(ServiceOptions options)
    {
        var own = (ProxyServerOptions)options;
        var policy = new DestinationPolicy(own.AllowDestination, own.DenyDestination, guarded: !ListenAddress.IsLocalOnly(BindAddress));
        return new RouteTable(policy, own.Chain, own.Rules, own.BlockByDefault);
    }

    private protected override IClientServer MakeServer(ServiceOptions options)
    {
        var own = (ProxyServerOptions)options;
        var context = new InboundContext(own, Registry, _outbound, own.Credentials) { Host = this };
        var relay = new RelayInboundOptions(own.Keys, own.PayloadKeys, _replays, own.Udp);
        _datagrams?.Use(context, relay);
        return new InboundServer(new InboundSwitch([.. Protocols(own.Served.Served, context, relay)]), own);
    }

    private static IEnumerable<InboundProtocol> Protocols(ProxyProtocols served, InboundContext context, RelayInboundOptions relay)
    {
        RelayInbound? streams = served.HasFlag(ProxyProtocols.Relay) ? new RelayInbound(context, relay) : null;
        if (streams is not null) yield return streams;
        foreach (InboundProtocol protocol in InboundSwitch.Foreign(served, context, overWebSocket: streams)) yield return protocol;
    }

    private ProxyHop BareHop => new(ReachableAddress()) { Protocol = Options.Served.HopProtocol };

    private TransportAddress ReachableAddress() => LocalEndPoint is UnixDomainSocketEndPoint path ? TransportAddress.Unix(path.ToString())
        : Options.SpeaksTls ? TransportAddress.Tls(ReachableEndpoint()) : TransportAddress.Tcp(ReachableEndpoint());

    // another machine cannot connect to "all addresses"; this one reaches itself on loopback
    private HostEndpoint ReachableEndpoint()
    {
        var endpoint = (IPEndPoint)LocalEndPoint;
        bool isAny = endpoint.Address.Equals(IPAddress.Any) || endpoint.Address.Equals(IPAddress.IPv6Any);
        return HostEndpoint.From(isAny ? new IPEndPoint(IPAddress.Loopback, endpoint.Port) : endpoint);
    }
}

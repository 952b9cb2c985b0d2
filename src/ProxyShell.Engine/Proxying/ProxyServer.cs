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
    private readonly ProxyServerOptions _options;
    private readonly ServedProtocols _served;
    private readonly Outbound _outbound;
    private readonly InboundSwitch _inbound;
    private readonly RelayDatagramPort? _datagrams;

    /// <summary>Makes a server; it listens after <see cref="ListenerService.StartAsync"/>.</summary>
    /// <exception cref="FormatException">An option is out of range; the message names it.</exception>
    public ProxyServer(ProxyServerOptions options)
        : base(options ?? throw new ArgumentNullException(nameof(options)), "ProxyServer")
    {
        _options = options;
        var policy = new DestinationPolicy(options.AllowDestination, options.DenyDestination, guarded: !ListenAddress.IsLocalOnly(BindAddress));
        var connector = new ChainConnector(new Dialer(options.Sockets, NameResolver.Default), options.TimeProvider);
        _outbound = new Outbound(connector, new RouteTable(policy, options.Chain, options.Rules, options.BlockByDefault));
        _served = options.Served;
        var context = new InboundContext(options, Registry, _outbound, options.Credentials);
        var relay = new RelayInboundOptions(options.Keys, options.PayloadKeys, options.ClockWindow, options.Udp);
        _inbound = new InboundSwitch([.. Protocols(context, relay)]);
        bool takesDatagrams = options is { Udp: true, Certificate: null } && _served.Served.HasFlag(ProxyProtocols.Relay) && BindAddress is IPEndPoint;
        if (takesDatagrams) _datagrams = new RelayDatagramPort(context, relay);
    }

    /// <inheritdoc />
    public override string Uri => LocalEndPoint is UnixDomainSocketEndPoint path && _served.HopProtocol != HopProtocol.Relay ? $"unix:{path}" : BareHop.Uri;

    /// <summary>
    /// This server as a hop for clients on this machine, with its (first) key or credential and with its certificate pinned; a relay hop
    /// when it serves relay headers, else a SOCKS5 or an HTTP hop.
    /// </summary>
    public ProxyHop ToHop()
    {
        ProxyHop hop = BareHop;
        hop = hop.Protocol == HopProtocol.Relay
            ? hop with { Key = _options.Keys is [var key, ..] ? key : null }
            : hop with { Credential = _options.Credentials is [var credential, ..] ? credential : null };
        return _options.DefaultCertificate is { } certificate
            ? hop with { Trust = TlsTrust.Pinned(certificate.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256)) }
            : hop;
    }

    private protected override Outbound? Outbound => _outbound;

    private protected override DatagramPort? Datagrams => _datagrams;

    private protected override bool AuthenticatesClients => _served.AuthenticateAll;

    private protected override string Remedy => _served.Remedy;

    // before a TLS handshake nothing can be told
    private protected override ValueTask TurnAwayAsync(DuplexConnection connection) => !_options.SpeaksTls
        ? _inbound.TurnAwayAsync(connection, _options.TimeProvider)
        : LingeringClose.RunAsync(connection, _options.TimeProvider);

    private protected override Task ServeAsync(ServedConnection served) => _inbound.ServeAsync(served);

    private IEnumerable<InboundProtocol> Protocols(InboundContext context, RelayInboundOptions relay)
    {
        RelayInbound? streams = _served.Served.HasFlag(ProxyProtocols.Relay) ? new RelayInbound(context, relay) : null;
        if (streams is not null) yield return streams;
        foreach (InboundProtocol protocol in InboundSwitch.Foreign(_served.Served, context, overWebSocket: streams)) yield return protocol;
    }

    private ProxyHop BareHop => new(ReachableAddress()) { Protocol = _served.HopProtocol };

    private TransportAddress ReachableAddress() => LocalEndPoint is UnixDomainSocketEndPoint path ? TransportAddress.Unix(path.ToString())
        : !_options.SpeaksTls ? TransportAddress.Tcp(ReachableEndpoint()) : TransportAddress.Tls(ReachableEndpoint());

    // another machine cannot connect to "all addresses"; this one reaches itself on loopback
    private HostEndpoint ReachableEndpoint()
    {
        var endpoint = (IPEndPoint)LocalEndPoint;
        bool isAny = endpoint.Address.Equals(IPAddress.Any) || endpoint.Address.Equals(IPAddress.IPv6Any);
        return HostEndpoint.From(isAny ? new IPEndPoint(IPAddress.Loopback, endpoint.Port) : endpoint);
    }
}

using System.Net.Sockets;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Proxying;

/// <summary>Serves relay headers: connects clients to the next hop or the destination that their header names.</summary>
public sealed class ProxyServer : ListenerService
{
    private readonly ProxyServerOptions _options;
    private readonly Outbound _outbound;
    private readonly InboundSwitch _inbound;

    /// <summary>Makes a server; it listens after <see cref="ListenerService.StartAsync"/>.</summary>
    /// <exception cref="FormatException">An option is out of range; the message names it.</exception>
    public ProxyServer(ProxyServerOptions options)
        : base(options ?? throw new ArgumentNullException(nameof(options)), "ProxyServer")
    {
        _options = options;
        var policy = new DestinationPolicy(options.AllowDestination, options.DenyDestination, guarded: !ListenAddress.IsLocalOnly(BindAddress));
        var connector = new ChainConnector(new Dialer(options.Sockets, NameResolver.Default), options.TimeProvider);
        _outbound = new Outbound(connector, policy, options.Chain);
        var context = new InboundContext(options, Registry, _outbound, []);
        _inbound = new InboundSwitch(new RelayInbound(context, new RelayInboundOptions(options.Keys, options.PayloadKeys, options.ClockWindow)));
    }

    /// <inheritdoc />
    public override string Uri => LocalEndPoint is UnixDomainSocketEndPoint path
        ? $"relay+unix:{path}"
        : $"{(_options.Certificate is null ? "relay" : "relays")}://{ReachableEndpoint()}";

    /// <summary>This server as a hop for clients on this machine, with its (first) key and with its certificate pinned.</summary>
    public ProxyHop ToHop()
    {
        ProxyHop hop = ProxyHop.Parse(Uri) with { Key = _options.Keys.Count > 0 ? _options.Keys[0] : null };
        return _options.Certificate is { } certificate
            ? hop with { Trust = TlsTrust.Pinned(certificate.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256)) }
            : hop;
    }

    private protected override bool AuthenticatesClients => _options.Keys.Count > 0;

    private protected override string Remedy => "give a key, ";

    private protected override async ValueTask TurnAwayAsync(DuplexConnection connection)
    {
        if (_options.Certificate is null) await RelayInbound.TurnAwayAsync(connection).ConfigureAwait(false);
        await LingeringClose.RunAsync(connection, _options.TimeProvider).ConfigureAwait(false);
    }

    private protected override Task ServeAsync(ServedConnection served) => _inbound.ServeAsync(served);

    // another machine cannot connect to "all addresses"; this one reaches itself on loopback
    private string ReachableEndpoint()
    {
        var endpoint = (System.Net.IPEndPoint)LocalEndPoint;
        System.Net.IPAddress address = endpoint.Address;
        if (address.Equals(System.Net.IPAddress.Any) || address.Equals(System.Net.IPAddress.IPv6Any)) address = System.Net.IPAddress.Loopback;
        return new System.Net.IPEndPoint(address, endpoint.Port).ToString();
    }
}

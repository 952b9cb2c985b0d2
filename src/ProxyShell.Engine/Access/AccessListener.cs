using System.Net;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Access;

/// <summary>A local port whose every connection goes through a chain, to one destination or to where its client asks for.</summary>
public sealed class AccessListener : ListenerService
{
    private readonly AccessListenerOptions _options;
    private readonly FlightTarget _target;
    private readonly Outbound _outbound;
    private readonly InboundContext _context;
    private readonly InboundSwitch? _inbound;
    private readonly ForwardingPort? _datagrams;

    /// <summary>Makes a listener; it listens after <see cref="ListenerService.StartAsync"/>.</summary>
    /// <exception cref="FormatException">An option is out of range; the message names it.</exception>
    public AccessListener(AccessListenerOptions options)
        : base(options ?? throw new ArgumentNullException(nameof(options)), "AccessListener")
    {
        _options = options;
        var connector = new ChainConnector(new Dialer(options.Sockets, NameResolver.Default), options.TimeProvider);
        _outbound = new Outbound(connector, new RouteTable(DestinationPolicy.AllowAll, options.Chain, options.Rules, options.BlockByDefault));
        _context = new InboundContext(options, Registry, _outbound, options.Credentials);
        if (options.Destination is { } destination) _target = new FlightTarget(TransportAddress.Tcp(destination), TlsTrust.System, null);
        if (options.Udp) _datagrams = new ForwardingPort(_context, options.Destination!);
        else if (options.Destination is null) _inbound = new InboundSwitch([.. InboundSwitch.Foreign(options.Served.Served, _context)]);
    }

    /// <summary>Where every connection goes; null when clients say so themselves.</summary>
    public HostEndpoint? Destination => _options.Destination;

    /// <summary>The hops on the way.</summary>
    public ProxyChain Chain => _outbound.Routes.DefaultChain;

    /// <inheritdoc />
    public override string Uri => LocalEndPoint is not IPEndPoint endpoint ? $"unix:{LocalEndPoint}"
        : _datagrams is not null ? $"udp://{endpoint}"
        : _inbound is null ? $"tcp://{endpoint}" : AsHop(endpoint).Uri;

    private protected override DatagramPort? Datagrams => _datagrams;

    private protected override bool AcceptsConnections => _datagrams is null;

    private protected override Outbound? Outbound => _outbound;

    private protected override bool AuthenticatesClients => _inbound is not null && _options.Served.AuthenticateAll;

    private protected override string Remedy => _inbound is null ? "" : _options.Served.Remedy;

    private protected override ValueTask TurnAwayAsync(DuplexConnection connection) => _inbound is null || _options.SpeaksTls
        ? base.TurnAwayAsync(connection)
        : _inbound.TurnAwayAsync(connection, _options.TimeProvider);

    private protected override Task ServeAsync(ServedConnection served) =>
        _inbound is null ? ForwardAsync(served) : _inbound.ServeAsync(served);

    private async Task ForwardAsync(ServedConnection served)
    {
        // a PROXY header goes before everything that the client says
        EarlyPayload? early = _options.SendProxyProtocol == ProxyHeaderVersion.None ? new EarlyPayload(served.Client, served.Record, served.Bandwidth) : null;
        DuplexConnection upstream = await _context.ConnectAsync(served, "tcp", _target, early).ConfigureAwait(false);
        if (early is null) await IntroduceAsync(served, upstream).ConfigureAwait(false);
        await _context.RelayAsync(served, served.Client, upstream).ConfigureAwait(false);
    }

    private async ValueTask IntroduceAsync(ServedConnection served, DuplexConnection upstream)
    {
        ProxyHeader header = served.Addresses;
        // the system does not name the own end of a Unix socket; it is the one that is listened on
        if (header.Destination is null) header = header with { Destination = LocalEndPoint };
        var bytes = new byte[ProxyHeaderCodec.MaxWrittenLength];
        int length = ProxyHeaderCodec.Write(bytes, _options.SendProxyProtocol, header);
        try
        {
            await upstream.WriteAsync(bytes.AsMemory(0, length), served.Clock.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            await upstream.DisposeAsync().ConfigureAwait(false);
            if (e is OperationCanceledException) throw;
            throw RelayFailure.On(ProxySide.Upstream, e);
        }
    }

    private ProxyHop AsHop(IPEndPoint endpoint)
    {
        var host = HostEndpoint.From(endpoint);
        return new ProxyHop(!_options.SpeaksTls ? TransportAddress.Tcp(host) : TransportAddress.Tls(host)) { Protocol = _options.Served.HopProtocol };
    }
}

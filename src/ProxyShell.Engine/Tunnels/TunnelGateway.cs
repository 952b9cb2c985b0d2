using System.Net;
using System.Security.Cryptography;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;
using ProxyShell.Engine.Tunnels.Http;

namespace ProxyShell.Engine.Tunnels;

/// <summary>
/// The public side of tunnels: agents connect to its control port and register, and what the public sends to their names and ports is led to
/// them (docs/protocols/tunnel.md).
/// </summary>
public sealed partial class TunnelGateway : ListenerService
{
    private readonly TunnelDesk _desk;
    private readonly Outbound _nowhere;
    private readonly TunnelHttp _publicHttp;

    /// <summary>Makes a gateway; it listens after <see cref="ListenerService.StartAsync"/>.</summary>
    /// <exception cref="FormatException">An option is out of range, or a file that it names cannot be read; the message names it.</exception>
    public TunnelGateway(TunnelGatewayOptions options)
        : base(options ?? throw new ArgumentNullException(nameof(options)), "TunnelGateway")
    {
        Directory = new TunnelDirectory(options.TimeProvider, options.Lease);
        _nowhere = new Outbound(new ChainConnector(new Dialer(options.Sockets, NameResolver.Default), options.TimeProvider), MakeRoutes(options));
        _publicHttp = new TunnelHttp(Directory, Registry, options);
        Entrances = MakeEntrances(options);
        _desk = new TunnelDesk(this, options);
        Adopt(options);
    }

    /// <summary>The options it goes by now.</summary>
    public TunnelGatewayOptions Options => (TunnelGatewayOptions)CurrentOptions;

    /// <inheritdoc />
    public override string Uri => LocalEndPoint is IPEndPoint endpoint ? $"{(Options.SpeaksTls ? "tunnels" : "tunnel")}://{endpoint}" : $"unix:{LocalEndPoint}";

    /// <summary>This gateway as agents on this machine reach it, with its certificate pinned.</summary>
    /// <exception cref="FormatException">It listens on a Unix socket, which agents do not dial.</exception>
    public GatewayAddress ToAddress()
    {
        if (LocalEndPoint is not IPEndPoint endpoint) throw new FormatException($"The gateway '{Name}' listens on a Unix socket, and agents dial host and port.");
        IPAddress address = endpoint.Address.Equals(IPAddress.Any) ? IPAddress.Loopback : endpoint.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : endpoint.Address;
        return new GatewayAddress(HostEndpoint.From(new IPEndPoint(address, endpoint.Port)))
        {
            UsesTls = Options.SpeaksTls,
            Trust = Options.DefaultCertificate is { } certificate ? TlsTrust.Pinned(certificate.GetCertHashString(HashAlgorithmName.SHA256)) : TlsTrust.System,
        };
    }

    /// <summary>Who serves which name.</summary>
    internal TunnelDirectory Directory { get; }

    /// <summary>The tunnels that are registered now.</summary>
    public IReadOnlyList<TunnelInfo> GetTunnels() => [.. _desk.ToList().Select(entry => Describe(entry.Registration, entry.Session))];

    /// <summary>
    /// Ends the tunnels of this name (a host name, or <c>tcp:port</c>, <c>udp:port</c>) at once, and tells their agents, which come back slowly if
    /// nobody stops them. Returns how many there were.
    /// </summary>
    public async Task<int> KickAsync(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        GatewaySession[] sessions = [.. _desk.ToList().Where(entry => entry.Registration.Grant.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(entry => entry.Session)];
        await Task.WhenAll(sessions.Select(session => session.KickAsync())).ConfigureAwait(false);
        return sessions.Length;
    }

    /// <inheritdoc cref="ListenerService.Reconfigure"/>
    public void Reconfigure(TunnelGatewayOptions options) => base.Reconfigure(options);

    // however many visitors there are, agents can come back
    private protected override long OwnRoom => (long)Options.MaxAgents + Options.MaxPendingHandshakes;

    // agents say what is led where: the gateway itself connects to nothing
    private protected override RouteTable MakeRoutes(ServiceOptions options) => new(DestinationPolicy.AllowAll, ProxyChain.Direct, [], blockByDefault: true);

    private protected override IClientServer MakeServer(ServiceOptions options)
    {
        var own = (TunnelGatewayOptions)options;
        InboundContext context = ContextOf(own);
        var agents = new ControlInbound(context, _desk, new KeyAdmission(own), own);
        return new InboundServer(new InboundSwitch(agents, new HttpInbound(context, proxies: false, overWebSocket: agents)), own);
    }

    private protected override void OnStopping()
    {
        _publicHttp.Hurry();
        // each ends with its session, which the registry waits for
        foreach ((_, GatewaySession session) in _desk.Stop()) _ = session.LeaveAsync();
    }

    private InboundContext ContextOf(TunnelGatewayOptions options) => new(options, Registry, _nowhere, []);

    private TunnelInfo Describe(TunnelRegistration registration, GatewaySession session)
    {
        TunnelGrant grant = registration.Grant;
        (long sent, long received) = session.Bytes;
        return new TunnelInfo
        {
            Gateway = Name,
            Session = session,
            Name = grant.Name,
            Kind = grant.Kind,
            Url = grant.Url,
            Agent = grant.RemoteEndPoint,
            Thumbprint = grant.Thumbprint,
            Destination = grant.Destination,
            Since = registration.Since,
            IsDraining = registration.IsLeaving,
            Connections = registration.Active,
            TotalConnections = registration.Total,
            BytesSent = sent,
            BytesReceived = received,
            RoundTrip = session.RoundTrip,
        };
    }
}

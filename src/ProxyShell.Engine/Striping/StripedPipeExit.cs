using System.Net;
using System.Security.Cryptography;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Chains.Pool;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Striping.Transfer;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Striping;

/// <summary>The far end of a striped pipe: near ends connect here, and each of their streams is joined to a connection to the destination.</summary>
public sealed class StripedPipeExit : ListenerService, IStripedPipe
{
    private readonly Outbound _outbound;
    private readonly OversizeLog _oversize;
    private readonly StripeAcceptor? _acceptor;
    private Task _draining = Task.CompletedTask;
    private long _stripes;
    private long _streams;

    /// <summary>Makes a far end; it listens after <see cref="ListenerService.StartAsync"/>.</summary>
    /// <exception cref="FormatException">An option is out of range; the message names it.</exception>
    public StripedPipeExit(StripedPipeExitOptions options)
        : base(options ?? throw new ArgumentNullException(nameof(options)), "StripedPipeExit")
    {
        var connector = new ChainConnector(new Dialer(options.Sockets, NameResolver.Default), options.TimeProvider);
        _outbound = new Outbound(connector, MakeRoutes(options));
        _outbound.UseSessions(Name, SessionPooling.Default, Registry);
        _oversize = new OversizeLog(Registry, options.TimeProvider);
        if (options.Framing == StripedPipeFraming.Stripe)
            _acceptor = new StripeAcceptor(options.StripeSet, options.Key) { Opened = (stream, stripe) => _ = ServeStreamAsync(stream, stream.Opening!, stripe) };
        Adopt(options);
    }

    /// <summary>The options it goes by now.</summary>
    public StripedPipeExitOptions Options => (StripedPipeExitOptions)CurrentOptions;

    /// <summary>Where every stream goes.</summary>
    public HostEndpoint Destination => Options.Destination;

    /// <summary>The address as a near end is given it: <c>tcp://host:port</c>, <c>tls://host:port</c> or <c>unix:/path</c>.</summary>
    public override string Uri => LocalEndPoint is IPEndPoint endpoint ? $"{(Options.SpeaksTls ? "tls" : "tcp")}://{endpoint}" : $"unix:{LocalEndPoint}";

    private protected override Outbound Outbound => _outbound;

    // whatever else is open, also what will never be a stripe: strangers take no stream its place
    private protected override long Carriers => Math.Max(0, Registry.Count - Interlocked.Read(ref _streams));

    // streams are limited, and however many there are, stripes can come back
    private protected override long OwnRoom => Options.Framing == StripedPipeFraming.Stripe ? StripedPipeEntryOptions.MaxStripes + Interlocked.Read(ref _stripes) : 0;

    /// <summary>The thumbprint (SHA-256) of the certificate that a near end may pin; null without TLS.</summary>
    public string? CertificateThumbprint => Options.DefaultCertificate?.GetCertHashString(HashAlgorithmName.SHA256);

    /// <inheritdoc />
    public StripedPipeFraming Framing => Options.Framing;

    /// <inheritdoc />
    public IReadOnlyList<StripeInfo> GetStripes() => _acceptor is null ? [] : [.. _acceptor.GetStripes().OrderBy(stripe => stripe.Pipe, StringComparer.Ordinal).ThenBy(stripe => stripe.Number).Select(stripe => stripe with { Service = Name })];

    /// <summary>The address as a near end on this machine dials it.</summary>
    public TransportAddress ToAddress()
    {
        if (LocalEndPoint is not IPEndPoint endpoint) return TransportAddress.Parse(Uri);
        IPAddress address = endpoint.Address.Equals(IPAddress.Any) ? IPAddress.Loopback : endpoint.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : endpoint.Address;
        var host = HostEndpoint.From(new IPEndPoint(address, endpoint.Port));
        return Options.SpeaksTls ? TransportAddress.Tls(host) : TransportAddress.Tcp(host);
    }

    /// <inheritdoc cref="ListenerService.Reconfigure"/>
    public void Reconfigure(StripedPipeExitOptions options) => base.Reconfigure(options);

    /// <summary>
    /// Serves a stream that a near end has opened over stripes, as a connection of its own: connects it to the destination and carries it to its end.
    /// <paramref name="stripe"/> is the connection over which it was opened.
    /// </summary>
    internal async Task ServeStreamAsync(DuplexConnection stream, StreamOpening opening, ServedConnection stripe)
    {
        var server = new StreamJoiner(MakeJoiner(Options), Options, opening, () => Interlocked.Increment(ref _streams));
        await ServeChannelAsync(stream, stripe, server).ConfigureAwait(false);
        if (server.HasServed) Interlocked.Decrement(ref _streams);
    }

    /// <summary>A connection that was accepted carries streams from here on, or (<paramref name="change"/> -1) does so no longer; it does not count itself.</summary>
    internal void CountStripe(int change) => Interlocked.Add(ref _stripes, change);

    private protected override RouteTable MakeRoutes(ServiceOptions options) =>
        new(DestinationPolicy.AllowAll, ((StripedPipeExitOptions)options).Chain, options.Rules, options.BlockByDefault);

    private protected override IClientServer MakeServer(ServiceOptions options)
    {
        var own = (StripedPipeExitOptions)options;
        _acceptor?.Use(own.StripeSet);
        return own.Framing == StripedPipeFraming.Datagram ? new FramedStreamServer(MakeJoiner(own), own) : new StripeServer(new ServiceContext(own, Registry), _acceptor!, this);
    }

    // stripes are connections too, and end when their pipe has no more streams
    private protected override void OnStopping() => _draining = _acceptor?.DrainAsync() ?? Task.CompletedTask;

    private protected override async ValueTask OnEmptiedAsync()
    {
        if (_acceptor is not null) await _acceptor.DisposeAsync().ConfigureAwait(false);
        await _draining.ConfigureAwait(false);
    }

    private DestinationJoiner MakeJoiner(StripedPipeExitOptions options) => new(new InboundContext(options, Registry, _outbound, []), options, _oversize);
}

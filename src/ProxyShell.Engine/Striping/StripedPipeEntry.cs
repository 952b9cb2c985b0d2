using System.Net;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Chains.Pool;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Striping.Transfer;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Striping;

/// <summary>The near end of a striped pipe: a local port whose every client gets a stream to the far end, which connects it to its destination.</summary>
public sealed class StripedPipeEntry : ListenerService, IStripedPipe
{
    // what was written when the last client left arrives within a round trip
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(1);

    private readonly ChainConnector _connector;
    private readonly Outbound _outbound;
    private readonly PipeDatagramPort? _datagrams;
    private readonly StripeKeeper? _keeper;

    /// <summary>Makes a near end; it listens after <see cref="ListenerService.StartAsync"/>.</summary>
    /// <exception cref="FormatException">An option is out of range; the message names it.</exception>
    public StripedPipeEntry(StripedPipeEntryOptions options)
        : base(options ?? throw new ArgumentNullException(nameof(options)), "StripedPipeEntry")
    {
        _connector = new ChainConnector(new Dialer(options.Sockets, NameResolver.Default), options.TimeProvider);
        _outbound = new Outbound(_connector, MakeRoutes(options));
        _outbound.UseSessions(Name, SessionPooling.Default, Registry);
        if (options.Udp) _datagrams = new PipeDatagramPort(options.Peer.ToString(), new OversizeLog(Registry, options.TimeProvider));
        if (options.Framing == StripedPipeFraming.Stripe) _keeper = new StripeKeeper(KeeperOptions(options));
        Adopt(options);
    }

    /// <summary>The options it goes by now.</summary>
    public StripedPipeEntryOptions Options => (StripedPipeEntryOptions)CurrentOptions;

    /// <summary>The far end.</summary>
    public TransportAddress Peer => Options.Peer;

    /// <inheritdoc />
    public override string Uri => LocalEndPoint is IPEndPoint endpoint ? $"{Options.Carried}://{endpoint}" : $"unix:{LocalEndPoint}";

    private protected override Outbound Outbound => _outbound;

    private protected override DatagramPort? Datagrams => _datagrams;

    private protected override bool AcceptsConnections => _datagrams is null;

    /// <inheritdoc />
    public StripedPipeFraming Framing => Options.Framing;

    /// <inheritdoc />
    public IReadOnlyList<StripeInfo> GetStripes() => _keeper is null ? [] : [.. _keeper.GetStripes().Select(stripe => stripe with { Service = Name })];

    /// <inheritdoc cref="ListenerService.Reconfigure"/>
    public void Reconfigure(StripedPipeEntryOptions options) => base.Reconfigure(options);

    // nothing is routed: each stream, or each stripe, takes one of the ways in turn
    private protected override RouteTable MakeRoutes(ServiceOptions options)
    {
        IReadOnlyList<ProxyChain> ways = ((StripedPipeEntryOptions)options).Ways;
        return new RouteTable(DestinationPolicy.AllowAll, ways[0], [], blockByDefault: false) { MoreChains = [.. ways.Skip(1)] };
    }

    private protected override IClientServer MakeServer(ServiceOptions options)
    {
        var own = (StripedPipeEntryOptions)options;
        var context = new InboundContext(own, Registry, _outbound, []);
        _keeper?.Use(KeeperOptions(own));
        IStreamOpener opener = MakeOpener(own);
        _datagrams?.Use(context, opener);
        return new PipeForwarder(context, opener, own.Peer.ToString());
    }

    private protected override void OnStarted() => _keeper?.Start();

    private protected override async ValueTask OnEmptiedAsync()
    {
        if (_keeper is not null) await _keeper.StopAsync(DrainTime).ConfigureAwait(false);
    }

    private IStreamOpener MakeOpener(StripedPipeEntryOptions options) => options.Framing == StripedPipeFraming.Datagram ? new ConnectionOpener(_connector, options) : _keeper!;

    // ways may change while the pipe lives: the next stripe of a place takes what its way is by then
    private StripeKeeperOptions KeeperOptions(StripedPipeEntryOptions options) => new()
    {
        Count = options.StripeCount, MaxCount = Math.Max(options.StripeCount, options.MaxStripeCount), Key = options.Key, Set = options.StripeSet, ConnectTimeout = options.ConnectTimeout,
        Dial = (place, cancellationToken) => new PeerDialer(_connector, Options).DialAsync(WayOf(place), null, cancellationToken),
        PathOf = place => WayOf(place) is { Count: > 0 } way ? $"{way}" : $"{Options.Peer}",
        Report = (message, reason) => Registry.Write(ProxyEventKind.Stripe, message, reason),
    };

    private ProxyChain WayOf(int place) => Options.Ways[place % Options.Ways.Count];
}

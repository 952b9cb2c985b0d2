using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Access;

/// <summary>A local port whose every connection goes through a chain to one destination.</summary>
public sealed class AccessListener : ListenerService
{
    private readonly AccessListenerOptions _options;
    private readonly TransportAddress _destination;
    private readonly string _destinationText;
    private readonly string _chainText;
    private readonly ChainConnector _connector;

    /// <summary>Makes a listener; it listens after <see cref="ListenerService.StartAsync"/>.</summary>
    /// <exception cref="FormatException">An option is out of range; the message names it.</exception>
    public AccessListener(AccessListenerOptions options)
        : base(options ?? throw new ArgumentNullException(nameof(options)), "AccessListener")
    {
        _options = options;
        _destination = TransportAddress.Tcp(options.Destination);
        (_destinationText, _chainText) = (options.Destination.ToString(), options.Chain.ToString());
        _connector = new ChainConnector(new Dialer(options.Sockets, NameResolver.Default), options.TimeProvider);
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
        ProxyConnection record = served.Record;
        (record.Protocol, record.Destination, record.Chain, record.State) = ("tcp", _destinationText, _chainText, ConnectionState.Connecting);
        served.Clock.Allow(_options.ConnectTimeout);
        DuplexConnection upstream = await _connector.ConnectAsync(
            _options.Chain, _destination, DestinationPolicy.AllowAll, served.Clock.Token, new EarlyPayload(served.Client, record)).ConfigureAwait(false);
        await using (upstream.ConfigureAwait(false))
        {
            record.AttachUpstream(upstream);
            served.EndSetUp();
            record.State = ConnectionState.Open;
            Registry.Write(ProxyEventKind.Opened, "opened", connection: record);
            if (await Relay.RunAsync(served.Client, upstream, record).ConfigureAwait(false) is { } failure) throw failure;
        }
    }
}

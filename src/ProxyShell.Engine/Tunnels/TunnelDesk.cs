using System.Net;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Tunnels;

namespace ProxyShell.Engine.Tunnels;

/// <summary>Where a gateway's agents register: gives names and ports, keeps to the limits, and knows all sessions.</summary>
internal sealed class TunnelDesk
{
    private readonly TunnelGateway _gateway;
    private readonly Lock _gate = new();
    private readonly Dictionary<TunnelRegistration, TunnelEntry> _entries = [];
    private readonly NameBook _names;
    private readonly PortBook _tcp;
    private readonly PortBook _udp;
    private readonly TunnelStateFile? _file;
    private int _handshakes;
    private bool _isStopping;

    /// <exception cref="FormatException">The state file cannot be read.</exception>
    public TunnelDesk(TunnelGateway gateway, TunnelGatewayOptions options)
    {
        _gateway = gateway;
        _names = new NameBook(options.TimeProvider, options.Lease);
        _tcp = new PortBook(options.TimeProvider, options.Lease, "TCP", gateway.OpenTcp);
        _udp = new PortBook(options.TimeProvider, options.Lease, "UDP", gateway.OpenUdp);
        if (options.StateFile is null) return;
        _file = new TunnelStateFile(options.StateFile);
        Restore(_file.Load(), options);
    }

    private TunnelDirectory Directory => _gateway.Directory;

    /// <summary>An agent begins to introduce itself; to be ended with <see cref="EndHandshake"/>.</summary>
    public void BeginHandshake()
    {
        int limit = _gateway.Options.MaxPendingHandshakes;
        if (Interlocked.Increment(ref _handshakes) <= limit) return;
        EndHandshake();
        throw Refusals.Of(ProxyErrorReason.LimitExceeded, $"{limit} agents are registering now, which is as many as may at a time");
    }

    public void EndHandshake() => Interlocked.Decrement(ref _handshakes);

    /// <summary>
    /// Gives an agent what it asks for; visitors find it from now on. An agent that comes back before the gateway has noticed that it was gone
    /// takes the place of its former self, which is to be ended with <see cref="EndAsync"/>.
    /// </summary>
    /// <exception cref="ProxyException">It cannot have it; the message says why.</exception>
    public (TunnelRegistration Registration, TunnelRegistration? Former) Register(TunnelClaimant claimant, TunnelRequest request, GatewaySession session, EndPoint? agent)
    {
        TunnelGatewayOptions options = _gateway.Options;
        TunnelKind kind = KindOf(request, options);
        TunnelSettings settings = TunnelSettingsReader.Read(request, options.MaxConnectionsPerTunnel);
        lock (_gate)
        {
            TunnelRegistration? former = FormerOf(claimant, request);
            RequireRoom(claimant, former, options);
            TunnelEntry entry = kind is TunnelKind.Tcp or TunnelKind.Udp ? ClaimPort(claimant, kind, request, options) : ClaimName(claimant, kind, request, options);
            var grant = new TunnelGrant
            {
                Kind = kind,
                Name = entry.Name,
                Url = _gateway.UrlOf(kind, entry),
                Port = entry.Port,
                Thumbprint = claimant.Thumbprint,
                Destination = Shown(request.Destination),
                RemoteEndPoint = agent?.ToString() ?? "unix",
                Settings = settings,
            };
            var registration = new TunnelRegistration(grant, session.OpenAsync, options.TimeProvider.GetUtcNow());
            _entries.Add(registration, entry with { Session = session, Instance = request.Instance ?? "" });
            if (entry.IsNew) Save();
            Directory.Add(registration);
            return (registration, former);
        }
    }

    /// <summary>Ends a registration whose agent has another one now.</summary>
    public async ValueTask EndAsync(TunnelRegistration former)
    {
        GatewaySession? session;
        lock (_gate) session = _entries.GetValueOrDefault(former)?.Session;
        await UnregisterAsync(former, isWithdrawn: false).ConfigureAwait(false);
        session?.Abort();
    }

    /// <summary>The agent is gone, or has withdrawn its tunnel.</summary>
    public async ValueTask UnregisterAsync(TunnelRegistration registration, bool isWithdrawn)
    {
        Directory.Remove(registration, isWithdrawn);
        IAsyncDisposable? listening = null;
        lock (_gate)
        {
            if (!_entries.Remove(registration, out TunnelEntry? entry)) return;
            if (entry.Port == 0) _names.Release(entry.Claim, isWithdrawn);
            else listening = (registration.Grant.Kind == TunnelKind.Tcp ? _tcp : _udp).Release(entry.Port, isWithdrawn);
        }
        if (listening is not null) await listening.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>The agent is gone: visitors shall not be led to it any more, whatever else is still to be done.</summary>
    public void Lose(TunnelRegistration registration) => Directory.Remove(registration, isWithdrawn: false);

    /// <summary>The sessions and registrations as they are now.</summary>
    public IReadOnlyList<(TunnelRegistration Registration, GatewaySession Session)> ToList()
    {
        lock (_gate) return [.. _entries.Select(pair => (pair.Key, pair.Value.Session!))];
    }

    /// <summary>Nobody registers any more; returns those who did.</summary>
    public IReadOnlyList<(TunnelRegistration Registration, GatewaySession Session)> Stop()
    {
        lock (_gate)
        {
            _isStopping = true;
            return ToList();
        }
    }

    private TunnelRegistration? FormerOf(TunnelClaimant claimant, TunnelRequest request) => string.IsNullOrEmpty(request.Instance)
        ? null
        : _entries.FirstOrDefault(pair => pair.Key.Grant.Thumbprint == claimant.Thumbprint && pair.Value.Instance == request.Instance).Key;

    private void RequireRoom(TunnelClaimant claimant, TunnelRegistration? former, TunnelGatewayOptions options)
    {
        if (_isStopping) throw Refusals.Of(ProxyErrorReason.Stopping, "the gateway is stopping");
        if (former is not null) return;
        if (_entries.Count >= options.MaxAgents) throw Refusals.Of(ProxyErrorReason.LimitExceeded, $"the gateway has {options.MaxAgents} agents, which is as many as it may");
        if (_entries.Keys.Count(other => other.Grant.Thumbprint == claimant.Thumbprint) >= options.MaxTunnelsPerKey)
            throw Refusals.Of(ProxyErrorReason.LimitExceeded, $"the key has {options.MaxTunnelsPerKey} agents, which is as many as one may");
    }

    private TunnelEntry ClaimName(TunnelClaimant claimant, TunnelKind kind, TunnelRequest request, TunnelGatewayOptions options)
    {
        NameClaim claim = _names.Claim(claimant, request, options);
        return new TunnelEntry { Name = $"{claim.Label}.{options.Domain}", Kind = kind, Claim = claim, IsNew = claim.IsNew };
    }

    private TunnelEntry ClaimPort(TunnelClaimant claimant, TunnelKind kind, TunnelRequest request, TunnelGatewayOptions options)
    {
        bool isTcp = kind == TunnelKind.Tcp, isNew;
        int port = isTcp ? _tcp.Claim(claimant, request, options.TcpPorts, out isNew) : _udp.Claim(claimant, request, options.UdpPorts, out isNew);
        return new TunnelEntry { Name = TunnelGateway.PortName(kind, port), Kind = kind, Port = port, IsNew = isNew };
    }

    private static TunnelKind KindOf(TunnelRequest request, TunnelGatewayOptions options) => request.Kind switch
    {
        "http" when options.HttpPort is null && options.HttpsPort is null => throw Refusals.Of(ProxyErrorReason.Unsupported, "the gateway has no port for HTTP"),
        "http" => TunnelKind.Http,
        "tls" when options.HttpsPort is null => throw Refusals.Of(ProxyErrorReason.Unsupported, "the gateway has no port for TLS"),
        "tls" => TunnelKind.Tls,
        "tcp" => TunnelKind.Tcp,
        "udp" => TunnelKind.Udp,
        _ => throw Refusals.Of(ProxyErrorReason.Unsupported, "the kind of tunnel asked for is not known: http, tls, tcp and udp are"),
    };

    // for people's eyes: what could play tricks with them is left out
    private static string Shown(string? text)
    {
        const int MaxShown = 200;
        string printable = string.Concat((text ?? "").Where(c => !char.IsControl(c)));
        return printable.Length <= MaxShown ? printable : printable[..MaxShown];
    }

    private void Restore(TunnelState state, TunnelGatewayOptions options)
    {
        _names.Restore(state);
        _tcp.Restore(state.Tcp);
        _udp.Restore(state.Udp);
        foreach (string label in state.Names.Keys.Concat(state.Pool.Keys))
        {
            Directory.Await($"{label}.{options.Domain}", TunnelKind.Http);
            Directory.Await($"{label}.{options.Domain}", TunnelKind.Tls);
        }
    }

    private void Save()
    {
        if (_file is null) return;
        try
        {
            _file.Save(new TunnelState { Names = new(_names.Reserved), Pool = new(_names.Pooled), Tcp = new(_tcp.Holders), Udp = new(_udp.Holders) });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _gateway.Registry.Write(ProxyEventKind.Warning, $"cannot write the StateFile: {e.Message}; a name given now may be given to another after a restart");
        }
    }
}

using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Chains.Pool;

/// <summary>Where a session leads: the hops up to its peer, and what may be dialled on the way. Equal routes share their sessions.</summary>
internal sealed class SessionRoute : IEquatable<SessionRoute>
{
    private readonly string _name;

    private SessionRoute(IReadOnlyList<ProxyHop> hops, string name, SessionPooling pooling, DestinationPolicy policy) =>
        (Path, _name, Pooling, Policy) = (new ChainPath(hops, null), name, pooling, policy);

    /// <summary>The hops; the last one is the peer, as it is reached without a session.</summary>
    public ChainPath Path { get; }

    public SessionPooling Pooling { get; }

    public DestinationPolicy Policy { get; }

    /// <summary>To a hop of a path, through those before it.</summary>
    public static SessionRoute To(ChainPath path, int index) =>
        new([.. path.Hops.Take(index), Peer(path.Hops[index])], HopNaming.Hop(index + 1, path.Hops[index]), path.Hops[index].Sessions, DestinationPolicy.AllowAll);

    /// <summary>To an address that a client or the last hop of a chain names.</summary>
    public static SessionRoute To(FlightTarget target, SessionPooling pooling, DestinationPolicy policy) =>
        new([new ProxyHop(target.Address!.Unmultiplexed()) { Trust = target.Trust, ServerName = target.ServerName }], target.Address.ToString(), pooling, policy);

    public bool Equals(SessionRoute? other) =>
        other is not null && ReferenceEquals(Policy, other.Policy) && Path.Hops.SequenceEqual(other.Path.Hops);

    public override bool Equals(object? obj) => Equals(obj as SessionRoute);

    public override int GetHashCode() => HashCode.Combine(Path.Hops.Count, Path.Hops[^1].Address);

    /// <summary>What it is called in messages: the hop with its number, or the address.</summary>
    public override string ToString() => _name;

    // a session belongs to no key: each channel brings its own request
    private static ProxyHop Peer(ProxyHop hop) => new(hop.Address.Unmultiplexed())
    {
        WebSocketPath = hop.WebSocketPath,
        Trust = hop.Trust,
        ServerName = hop.ServerName,
        ClientCertificate = hop.ClientCertificate,
    };
}

using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Sessions;

namespace ProxyShell.Engine.Chains.Pool;

/// <summary>A session of the pool, and who uses it. Everything that changes is guarded by the gate of its <see cref="SessionPlace"/>.</summary>
internal sealed class PooledSession
{
    private readonly HashSet<SessionUser> _users = [];

    public PooledSession(MultiplexedSession session, SessionRoute route, DateTimeOffset started)
    {
        Session = session;
        View = new ProxySession(session, SessionDirection.Outgoing, route.Path.Hops[^1].Endpoint, Transport(route.Path.Hops[^1]), started, () => Names);
    }

    public MultiplexedSession Session { get; }

    /// <summary>What users see of it.</summary>
    public ProxySession View { get; }

    /// <summary>How many streams use it now.</summary>
    public int Leases { get; set; }

    /// <summary>When the last stream left.</summary>
    public long IdleSince { get; set; }

    /// <summary>No further stream may use it.</summary>
    public bool IsRetired { get; set; }

    /// <summary>Services used it, and none does any more.</summary>
    public bool IsAbandoned { get; private set; }

    public bool IsUsable => !IsRetired && !Session.IsOver;

    private IReadOnlyList<string> Names { get; set; } = [];

    public void Join(SessionUser? user)
    {
        if (user is null || !_users.Add(user)) return;
        IsAbandoned = false;
        Names = [.. _users.Select(u => u.Name)];
    }

    public void Leave(SessionUser user)
    {
        if (!_users.Remove(user)) return;
        IsAbandoned = _users.Count == 0;
        Names = [.. _users.Select(u => u.Name)];
    }

    public SessionUser[] Users() => [.. _users];

    public static void Report(SessionUser[] users, string message, ProxyErrorReason reason = ProxyErrorReason.None)
    {
        foreach (SessionUser user in users) user.Report(message, reason);
    }

    private static string Transport(ProxyHop hop) => (hop.WebSocketPath, hop.Address.Kind) switch
    {
        (not null, TransportKind.Tls) => "wss",
        (not null, _) => "ws",
        var (_, kind) => kind.ToString().ToLowerInvariant(),
    };
}

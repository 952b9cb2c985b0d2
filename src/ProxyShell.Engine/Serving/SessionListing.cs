using System.Collections.Concurrent;
using ProxyShell.Engine.Sessions;

namespace ProxyShell.Engine.Serving;

/// <summary>The place of a session in its service's list.</summary>
internal sealed class SessionListing : IDisposable
{
    private readonly ConcurrentDictionary<long, ProxySession> _list;

    public SessionListing(ConcurrentDictionary<long, ProxySession> list, ProxySession session)
    {
        (_list, Session) = (list, session);
        list.TryAdd(session.Id, session);
    }

    public ProxySession Session { get; }

    public void Dispose() => _list.TryRemove(Session.Id, out _);
}

namespace ProxyShell.Engine.Tunnels;

/// <summary>The agents that serve one name. Changed under the directory's lock, read without.</summary>
internal sealed class TunnelGroup
{
    private volatile TunnelRegistration[] _live = [];
    private long _goneUntil;
    private uint _turn;

    public IReadOnlyList<TunnelRegistration> Live => _live;

    /// <summary>Until when a name without agents counts as gone.</summary>
    public DateTimeOffset GoneUntil
    {
        get => new(Volatile.Read(ref _goneUntil), TimeSpan.Zero);
        set => Volatile.Write(ref _goneUntil, value.UtcTicks);
    }

    public void Add(TunnelRegistration registration) => _live = [.. _live, registration];

    public bool Remove(TunnelRegistration registration)
    {
        TunnelRegistration[] rest = [.. _live.Where(other => other != registration)];
        if (rest.Length == _live.Length) return false;
        _live = rest;
        return true;
    }

    /// <summary>The agent with the least to do that takes new work and was not tried in vain; among equals each in turn.</summary>
    public TunnelRegistration? LeastBusy(IReadOnlyCollection<TunnelRegistration> tried)
    {
        TunnelRegistration[] live = _live;
        if (live.Length == 1) return live[0].IsLeaving || tried.Contains(live[0]) ? null : live[0];
        TunnelRegistration? best = null;
        uint first = Interlocked.Increment(ref _turn);
        for (int i = 0; i < live.Length; i++)
        {
            TunnelRegistration candidate = live[(int)((first + (uint)i) % (uint)live.Length)];
            if (!candidate.IsLeaving && !tried.Contains(candidate) && (best is null || candidate.Active < best.Active)) best = candidate;
        }
        return best;
    }
}

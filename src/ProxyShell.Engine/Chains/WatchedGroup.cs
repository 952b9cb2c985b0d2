using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Chains;

/// <summary>A group while a service watches it: where it stands in a chain of the service, and whom to tell of changes.</summary>
internal sealed class WatchedGroup : IDisposable
{
    private readonly ProxyChain _chain;
    private readonly int _place;
    private readonly Action<string, ProxyErrorReason> _report;
    private readonly Action _wake;

    public WatchedGroup(ProxyChain chain, int place, Action<string, ProxyErrorReason> report, Action wake)
    {
        (_chain, _place, _report, _wake) = (chain, place, report, wake);
        Choice = chain.Places[place].Choice!;
        Choice.Changed += OnChanged;
        for (int i = 0; i < Choice.Count; i++) Choice[i].Watch();
    }

    public GroupChoice Choice { get; }

    /// <summary>The path to the end of an alternate: before it, what a connection would most likely take.</summary>
    public ChainPath PathTo(int index, TimeProvider time) =>
        new([.. HopsBefore(time), .. Choice.Group.Alternates[index].Hops], null);

    /// <summary>
    /// Whether a probe's failure is the alternate's own. It is not when a hop before it failed; but one that waits in vain may wait for it.
    /// </summary>
    public bool IsOwn(ProxyException error, ChainPath path, int index)
    {
        int before = path.Hops.Count - Choice.Group.Alternates[index].Hops.Count;
        if (error is { HopNumber: 1, Reason: ProxyErrorReason.ResourceExhausted, Stage: ProxyStage.Dial }) return false;
        return error.HopNumber is not { } number || number > before || (number == before && error.Reason == ProxyErrorReason.TimedOut);
    }

    public void Dispose()
    {
        Choice.Changed -= OnChanged;
        for (int i = 0; i < Choice.Count; i++) Choice[i].Unwatch();
    }

    private IEnumerable<ProxyHop> HopsBefore(TimeProvider time) =>
        _chain.Places.Take(_place).SelectMany(place => place.Alternates[place.Choice?.Preferred(time) ?? 0].Hops);

    private void OnChanged(HealthChange change)
    {
        if (change.Step.Now == AlternateState.Down)
            _report($"{change.Alternate} at place {_place + 1} is down: {change.Error!.Message}", change.Error.Reason);
        else if (change.Step is { Before: AlternateState.Down, Now: AlternateState.Up })
            _report($"{change.Alternate} at place {_place + 1} is up again", ProxyErrorReason.None);
        _wake();
    }
}

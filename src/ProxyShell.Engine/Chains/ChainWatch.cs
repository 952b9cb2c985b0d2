using System.Threading.Channels;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Chains;

/// <summary>
/// Probes the alternates of the chains that a service uses, and tells of those that go down and come back. One that is up is probed every
/// 30 s unless its group says otherwise, one that is down after 1 s, then after twice as long each time. Groups that several services use are probed once: whoever finds
/// a probe due sends it. The service owns this and ends it.
/// </summary>
internal sealed class ChainWatch : IAsyncDisposable
{
    private const int MaxProbes = 8;

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly Dictionary<GroupChoice, WatchedGroup> _groups = [];
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _stop = new();
    private readonly AlternateProbe _probe;
    private readonly TimeProvider _time;
    private readonly Action<string, ProxyErrorReason> _report;
    private readonly ITimer _timer;
    private readonly List<Task> _probes = [];
    private Task? _loop;

    public ChainWatch(PathConnector paths, TimeProvider time, Action<string, ProxyErrorReason> report)
    {
        (_time, _report, _probe) = (time, report, new AlternateProbe(paths, time));
        _timer = time.CreateTimer(static state => ((ChainWatch)state!).Wake(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>From now on watches the groups of these chains, and no others.</summary>
    public void Watch(IEnumerable<ProxyChain> chains)
    {
        lock (_gate)
        {
            if (_stop.IsCancellationRequested) return;
            var wanted = new HashSet<GroupChoice>();
            foreach (ProxyChain chain in chains)
            {
                for (int place = 0; place < chain.Places.Count; place++)
                {
                    if (chain.Places[place].Choice is { } choice && wanted.Add(choice) && !_groups.ContainsKey(choice))
                        _groups.Add(choice, new WatchedGroup(chain, place, _report, Wake));
                }
            }
            foreach (GroupChoice choice in _groups.Keys.Except(wanted).ToList()) Forget(choice);
            if (_groups.Count > 0) _loop ??= RunAsync();
        }
        Wake();
    }

    public async ValueTask DisposeAsync()
    {
        Task? loop;
        lock (_gate)
        {
            foreach (GroupChoice choice in _groups.Keys.ToList()) Forget(choice);
            loop = _loop;
        }
        await _stop.CancelAsync().ConfigureAwait(false);
        Wake();
        if (loop is not null) await loop.ConfigureAwait(false);
        await _timer.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private void Forget(GroupChoice choice)
    {
        if (_groups.Remove(choice, out WatchedGroup? group)) group.Dispose();
    }

    private void Wake() => _wake.Writer.TryWrite(true);

    private async Task RunAsync()
    {
        await Task.Yield();
        while (!_stop.IsCancellationRequested)
        {
            _probes.RemoveAll(probe => probe.IsCompleted);
            _timer.Change(BeginProbes(), Timeout.InfiniteTimeSpan);
            await _wake.Reader.ReadAsync().ConfigureAwait(false);
        }
        await Task.WhenAll(_probes).ConfigureAwait(false);
    }

    // begins what is due, and returns how long nothing else will be
    private TimeSpan BeginProbes()
    {
        TimeSpan pause = LongestPause;
        lock (_gate)
        {
            foreach (WatchedGroup group in _groups.Values)
            {
                for (int i = 0; i < group.Choice.Count; i++)
                {
                    // the end of a probe wakes the loop
                    if (_probes.Count >= MaxProbes) return pause;
                    if (group.Choice[i].TryBeginProbe(_time, out TimeSpan wait)) _probes.Add(ProbeAsync(group, i));
                    else if (wait < pause) pause = wait;
                }
            }
        }
        return pause;
    }

    private async Task ProbeAsync(WatchedGroup group, int index)
    {
        await Task.Yield();
        ChainPath path = group.PathTo(index, _time);
        try
        {
            TimeSpan latency = await _probe.RunAsync(path, _stop.Token).ConfigureAwait(false);
            group.Choice.Answered(index, latency, AlternateProbe.IsWhole(path), _time);
        }
        catch (Exception e)
        {
            ProxyException error = e as ProxyException ?? new ProxyException(ProxyErrorReason.Other, ProxyStage.None, "internal error", e.Message, e);
            if (!_stop.IsCancellationRequested && group.IsOwn(error, path, index)) group.Choice.Unanswered(index, error, _time);
            else group.Choice[index].ProbeAgain(_time);
        }
        Wake();
    }
}

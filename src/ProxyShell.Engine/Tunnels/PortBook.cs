using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Tunnels;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tunnels;

/// <summary>
/// Which public port of one kind belongs to whom, and what listens there. <paramref name="open"/> binds a port, and fails when another program has
/// it. Not thread-safe: the owner has a lock.
/// </summary>
internal sealed class PortBook(TimeProvider time, TimeSpan lease, string kind, Func<int, IAsyncDisposable> open)
{
    private readonly LeaseBook<int> _ports = new(time, lease);
    private readonly Dictionary<int, IAsyncDisposable> _bound = [];

    /// <summary>The ports, and who has or had them.</summary>
    public IEnumerable<KeyValuePair<int, string>> Holders => _ports.Holders;

    /// <summary>Gives a port that is bound then; agents of the same claimant share it. To be ended with <see cref="Release"/>.</summary>
    /// <exception cref="ProxyException">It belongs to another or is in use, the gateway does not give it, or there is none left.</exception>
    public int Claim(TunnelClaimant claimant, TunnelRequest request, IReadOnlyList<PortRange> ranges, out bool isNew)
    {
        if (ranges.Count == 0) throw Refusals.Of(ProxyErrorReason.Unsupported, $"the gateway gives no {kind} ports");
        return request.Port != 0 ? ClaimByNumber(claimant, request.Port, ranges, out isNew) : ClaimAny(claimant, request.LastPort, ranges, out isNew);
    }

    /// <summary>One agent less has the port; what listens there is to be closed when it was the last.</summary>
    public IAsyncDisposable? Release(int port, bool isWithdrawn)
    {
        _ports.Release(port, isWithdrawn);
        return !_ports.IsUsed(port) && _bound.Remove(port, out IAsyncDisposable? listening) ? listening : null;
    }

    public void Restore(IReadOnlyDictionary<int, string> holders)
    {
        foreach ((int port, string holder) in holders) _ports.Restore(port, holder);
    }

    private int ClaimByNumber(TunnelClaimant claimant, int port, IReadOnlyList<PortRange> ranges, out bool isNew)
    {
        if (!ranges.Any(range => range.Contains(port)))
            throw Refusals.Of(ProxyErrorReason.Forbidden, $"the gateway does not give {kind} port {port}: those from {string.Join(", ", ranges)} it does");
        if (!_ports.IsFree(port, claimant.Thumbprint)) throw Refusals.Of(ProxyErrorReason.Forbidden, $"{kind} port {port} belongs to another key");
        if (!TryBind(port)) throw Refusals.Of(ProxyErrorReason.AddressInUse, $"{kind} port {port} is in use by another program on the gateway");
        isNew = _ports.Take(port, claimant.Thumbprint);
        return port;
    }

    private int ClaimAny(TunnelClaimant claimant, int wish, IReadOnlyList<PortRange> ranges, out bool isNew)
    {
        int[] supply = [.. ranges.SelectMany(range => Enumerable.Range(range.First, range.Last - range.First + 1)).Distinct()];
        foreach (int port in _ports.Choices(claimant.Label, port => port == wish, supply))
        {
            if (!TryBind(port)) continue;
            isNew = _ports.Take(port, claimant.Label);
            return port;
        }
        throw Refusals.Of(ProxyErrorReason.LimitExceeded, $"all {kind} ports that the gateway gives ({string.Join(", ", ranges)}) are in use");
    }

    private bool TryBind(int port)
    {
        if (_bound.ContainsKey(port)) return true;
        try
        {
            _bound.Add(port, open(port));
            return true;
        }
        catch (ProxyException e) when (e.Reason is ProxyErrorReason.AddressInUse or ProxyErrorReason.AddressNotAvailable)
        {
            return false;
        }
    }
}

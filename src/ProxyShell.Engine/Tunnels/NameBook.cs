using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Tunnels;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tunnels;

/// <summary>
/// Which host label belongs to whom: the label of a key to that key, a label asked for to the key that asked first, and those of the pool to whom
/// they were handed out. Not thread-safe: the owner has a lock.
/// </summary>
internal sealed class NameBook(TimeProvider time, TimeSpan lease)
{
    private const int MaxReserved = 10_000;
    private const int MaxLabel = 63;

    private readonly LeaseBook<string> _pool = new(time, lease);
    private readonly Dictionary<string, string> _reserved = [];

    /// <summary>The names that were asked for, and the keys they belong to.</summary>
    public IReadOnlyDictionary<string, string> Reserved => _reserved;

    /// <summary>The names of the pool, and who has or had them.</summary>
    public IEnumerable<KeyValuePair<string, string>> Pooled => _pool.Holders;

    /// <summary>Gives a label, to be given back with <see cref="Release"/>.</summary>
    /// <exception cref="ProxyException">It belongs to another, is no label, or there is none left.</exception>
    public NameClaim Claim(TunnelClaimant claimant, TunnelRequest request, TunnelGatewayOptions options)
    {
        if (!string.IsNullOrEmpty(request.HostName)) return ClaimByName(claimant, LabelOf(request.HostName, options.Domain), options);
        if (options.HostNamePool.Count == 0) return new NameClaim(claimant.Label, IsPooled: false, IsNew: false);
        string? wish = request.LastName is { Length: > 0 } last ? TryLabelOf(last, options.Domain) : null;
        string label = _pool.Choices(claimant.Label, name => name == wish, options.HostNamePool).FirstOrDefault(name => !IsReserved(name, claimant))
            ?? throw Refusals.Of(ProxyErrorReason.LimitExceeded, $"all {options.HostNamePool.Count} names of the gateway's pool are in use");
        return new NameClaim(label, IsPooled: true, _pool.Take(label, claimant.Label));
    }

    /// <summary>One agent less has the label.</summary>
    public void Release(NameClaim claim, bool isWithdrawn)
    {
        if (claim.IsPooled) _pool.Release(claim.Label, isWithdrawn);
    }

    public void Restore(TunnelState state)
    {
        foreach ((string label, string thumbprint) in state.Names) _reserved[label] = thumbprint;
        foreach ((string label, string holder) in state.Pool) _pool.Restore(label, holder);
    }

    private NameClaim ClaimByName(TunnelClaimant claimant, string label, TunnelGatewayOptions options)
    {
        if (label == claimant.Label || label == claimant.Thumbprint) return new NameClaim(label, IsPooled: false, IsNew: false);
        if (Base32.IsOf(label, System.Security.Cryptography.SHA256.HashSizeInBytes) || IsReserved(label, claimant)) throw Taken(label);
        if (!options.HostNamePool.Contains(label)) return new NameClaim(label, IsPooled: false, Reserve(claimant, label, options));
        if (!_pool.IsFree(label, claimant.Label)) throw Taken(label);
        return new NameClaim(label, IsPooled: true, _pool.Take(label, claimant.Label));
    }

    private bool Reserve(TunnelClaimant claimant, string label, TunnelGatewayOptions options)
    {
        if (_reserved.ContainsKey(label)) return false;
        if (_reserved.Values.Count(other => other == claimant.Thumbprint) >= options.MaxNamesPerKey)
            throw Refusals.Of(ProxyErrorReason.LimitExceeded, $"the key has reserved {options.MaxNamesPerKey} names, which is as many as it may");
        if (_reserved.Count >= MaxReserved) throw Refusals.Of(ProxyErrorReason.LimitExceeded, $"{MaxReserved:N0} names are reserved, which is as many as the gateway keeps");
        _reserved.Add(label, claimant.Thumbprint);
        return true;
    }

    private bool IsReserved(string label, TunnelClaimant claimant) => _reserved.TryGetValue(label, out string? owner) && owner != claimant.Thumbprint;

    private static string LabelOf(string name, string domain) => TryLabelOf(name, domain) is { } label && IsLabel(label)
        ? label
        : throw Refusals.Of(ProxyErrorReason.ProtocolError, $"the host name asked for must be one label (1 to {MaxLabel} letters, digits and hyphens), alone or before '.{domain}'");

    /// <summary>Whether the text may be one label of a host name, in lower case (RFC 1123 §2.1).</summary>
    public static bool IsLabel(string text) =>
        text.Length is >= 1 and <= MaxLabel && text[0] != '-' && text[^1] != '-' && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');

    private static string? TryLabelOf(string name, string domain)
    {
        string lower = name.ToLowerInvariant();
        string label = lower.EndsWith("." + domain, StringComparison.Ordinal) ? lower[..^(domain.Length + 1)] : lower;
        return IsLabel(label) ? label : null;
    }

    private static ProxyException Taken(string label) => Refusals.Of(ProxyErrorReason.Forbidden, $"the name '{label}' belongs to another key");
}

namespace ProxyShell.Engine.Tunnels;

/// <summary>A host label that was given.</summary>
/// <param name="Label">The label.</param>
/// <param name="IsPooled">Whether it is of the pool, and to be given back.</param>
/// <param name="IsNew">Whether it did not belong to the claimant before.</param>
internal readonly record struct NameClaim(string Label, bool IsPooled, bool IsNew);

namespace ProxyShell.Engine.Chains;

/// <summary>A change of an alternate's state.</summary>
internal readonly record struct HealthStep(AlternateState Before, AlternateState Now);

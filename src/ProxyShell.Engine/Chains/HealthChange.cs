using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Chains;

/// <summary>An alternate changed its state; with the failure that did it when it is out now.</summary>
internal readonly record struct HealthChange(HopAlternate Alternate, HealthStep Step, ProxyException? Error);

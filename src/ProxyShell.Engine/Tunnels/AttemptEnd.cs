using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Tunnels;

/// <summary>How one connection of an agent with its gateway ended.</summary>
/// <param name="Error">Why; null after an orderly end.</param>
/// <param name="IsRefusal">Whether the gateway has said no, and would say so again.</param>
/// <param name="WasRegistered">Whether it had come to a registration.</param>
internal readonly record struct AttemptEnd(ProxyException? Error, bool IsRefusal, bool WasRegistered);

namespace ProxyShell.Engine.Tunnels;

/// <summary>The answer of a <see cref="TunnelDirectory"/>; the registration is there when it is found.</summary>
internal readonly record struct TunnelLookup(TunnelLookupStatus Status, TunnelRegistration? Registration);

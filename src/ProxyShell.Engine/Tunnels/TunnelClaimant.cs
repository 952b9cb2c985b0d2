namespace ProxyShell.Engine.Tunnels;

/// <summary>Who asks for a name or port: the key, and the key together with its session name.</summary>
/// <param name="Thumbprint">The key. What is asked for by name belongs to it, whatever the session.</param>
/// <param name="Label">The host label of key and session. What is handed out belongs to it.</param>
internal readonly record struct TunnelClaimant(string Thumbprint, string Label);

namespace ProxyShell.Engine.Tunnels;

/// <summary>What is known of a public name.</summary>
internal enum TunnelLookupStatus
{
    /// <summary>Nobody serves it, and nobody did of late: 404.</summary>
    Unknown,

    /// <summary>Its agents are gone, but may come back while the lease lasts: 503.</summary>
    Gone,

    /// <summary>An agent serves it.</summary>
    Found,
}

namespace ProxyShell.Engine.Diagnostics;

/// <summary>Which side of a relay something concerns.</summary>
public enum ProxySide : byte
{
    /// <summary>Neither.</summary>
    None,

    /// <summary>The connection that came in.</summary>
    Client,

    /// <summary>The connection that goes out.</summary>
    Upstream,
}

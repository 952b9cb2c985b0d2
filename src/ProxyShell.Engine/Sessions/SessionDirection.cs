namespace ProxyShell.Engine.Sessions;

/// <summary>Who began a session.</summary>
public enum SessionDirection
{
    /// <summary>This side.</summary>
    Outgoing,

    /// <summary>The peer.</summary>
    Incoming,
}

namespace ProxyShell.Engine.Chains;

/// <summary>Whether a hop was reached by a session.</summary>
public enum SessionUse
{
    /// <summary>By a connection of its own, or it is not known.</summary>
    None,

    /// <summary>By a session that was begun for it.</summary>
    New,

    /// <summary>By a session that was there.</summary>
    Kept,
}

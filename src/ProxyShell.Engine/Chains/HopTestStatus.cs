namespace ProxyShell.Engine.Chains;

/// <summary>What the test of one hop came to.</summary>
public enum HopTestStatus
{
    /// <summary>It answers.</summary>
    Ok,

    /// <summary>It is where the chain breaks.</summary>
    Failed,

    /// <summary>Not tested, because a hop before it failed.</summary>
    NotReached,
}

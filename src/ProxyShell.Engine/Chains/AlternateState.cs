namespace ProxyShell.Engine.Chains;

/// <summary>How an alternate of a group is.</summary>
public enum AlternateState
{
    /// <summary>Not used and not probed yet; connections may take it.</summary>
    Unknown,

    /// <summary>It works.</summary>
    Up,

    /// <summary>A connection waited in vain for it or for what lies behind it; it is left out until a probe has told which.</summary>
    Suspect,

    /// <summary>It does not work and is left out until a probe answers.</summary>
    Down,
}

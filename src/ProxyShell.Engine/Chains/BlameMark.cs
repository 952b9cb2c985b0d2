namespace ProxyShell.Engine.Chains;

/// <summary>What a failure says about the alternates to blame for it.</summary>
internal enum BlameMark
{
    /// <summary>Nothing: others would fail too, or this connection asked for too much.</summary>
    None,

    /// <summary>One of them may be down.</summary>
    Suspect,

    /// <summary>They are down.</summary>
    Down,
}

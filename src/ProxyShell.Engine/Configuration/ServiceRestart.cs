namespace ProxyShell.Engine.Configuration;

/// <summary>A service that was replaced by another of its name, and the option that a running service cannot change.</summary>
public sealed record ServiceRestart(string Name, string Reason)
{
    /// <summary>In words.</summary>
    public override string ToString() => $"{Name} ({Reason})";
}

namespace ProxyShell.Engine.Protocols.Tunnels;

/// <summary>A user of a tunnel; never shows the password.</summary>
internal sealed record TunnelUser
{
    public string? Name { get; init; }

    public string? Password { get; init; }

    public override string ToString() => Name ?? "";
}

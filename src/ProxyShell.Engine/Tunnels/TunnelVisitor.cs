using System.Net;

namespace ProxyShell.Engine.Tunnels;

/// <summary>A public connection for which a channel is opened: the agent is told so much about it.</summary>
internal sealed record TunnelVisitor
{
    /// <summary>Who connected to the gateway; null for a Unix socket.</summary>
    public EndPoint? Client { get; init; }

    /// <summary>Which address of the gateway it connected to.</summary>
    public EndPoint? Gateway { get; init; }

    /// <summary>How: <c>http</c>, <c>https</c>, <c>tls</c>, <c>tcp</c> or <c>udp</c>.</summary>
    public required string Scheme { get; init; }

    /// <summary>The public host name that it asked for; empty where there is none.</summary>
    public string Host { get; init; } = "";
}

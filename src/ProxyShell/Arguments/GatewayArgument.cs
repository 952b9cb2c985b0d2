using System.Management.Automation;
using System.Net;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Tunnels;
using ProxyShell.Jobs;

namespace ProxyShell.Arguments;

/// <summary>A gateway as users name it: its URI, a GatewayAddress, or a gateway's job on this machine.</summary>
public sealed class GatewayArgument
{
    private readonly object? _value;

    /// <summary>A URI.</summary>
    public GatewayArgument(string uri) => _value = uri;

    /// <summary>A GatewayAddress, a job, or something that reads as a URI.</summary>
    public GatewayArgument(object value) => _value = value is PSObject wrapped ? wrapped.BaseObject : value;

    /// <summary>The address meant.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    internal GatewayAddress Resolve() => _value switch
    {
        GatewayAddress address => address,
        TunnelGatewayJob job => job.Gateway.ToAddress(),
        ProxyJob other => throw new FormatException($"The job '{other.Name}' is of type {other.PSJobTypeName}, so there is nothing to register at."),
        _ => GatewayAddress.Parse(ToString()),
    };

    /// <summary>The user's text.</summary>
    public override string ToString() => _value is ProxyJob job ? job.Name : _value?.ToString()?.Trim() ?? "";
}

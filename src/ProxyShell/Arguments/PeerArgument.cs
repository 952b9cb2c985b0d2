using System.Management.Automation;
using System.Net;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Striping;
using ProxyShell.Jobs;

namespace ProxyShell.Arguments;

/// <summary>The far end of a striped pipe as users name it: its address, or its job on this machine.</summary>
public sealed class PeerArgument
{
    private readonly object? _value;

    /// <summary><c>host:port</c>, <c>tcp://host:port</c>, <c>tls://host:port</c> or <c>unix:/path</c>.</summary>
    public PeerArgument(string address) => _value = address;

    /// <summary>A TransportAddress, a job, or something that reads as an address.</summary>
    public PeerArgument(object value) => _value = value is PSObject wrapped ? wrapped.BaseObject : value;

    /// <summary>The far end, when it is given as a job; else null.</summary>
    internal StripedPipeExit? FarEnd => (_value as StripedPipeJob)?.FarEnd;

    /// <summary>The address meant.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    internal TransportAddress Resolve() => _value switch
    {
        TransportAddress address => address,
        HostEndpoint endpoint => TransportAddress.Tcp(endpoint),
        IPEndPoint ip => TransportAddress.Tcp(HostEndpoint.From(ip)),
        StripedPipeJob { FarEnd: { } far } => far.ToAddress(),
        StripedPipeJob near => throw new FormatException($"The job '{near.Name}' is a near end, and only a far end (-Accept) can be a peer."),
        ProxyJob other => throw new FormatException($"The job '{other.Name}' is of type {other.PSJobTypeName}, and only the far end of a striped pipe can be a peer."),
        _ => TransportAddress.Parse(ToString()),
    };

    /// <summary>The user's text.</summary>
    public override string ToString() => _value is ProxyJob job ? job.Name : _value?.ToString()?.Trim() ?? "";
}

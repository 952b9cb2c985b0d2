using System.Management.Automation;
using ProxyShell.Engine.Addressing;

namespace ProxyShell.Arguments;

/// <summary>A host and port as users write them: <c>host:port</c>, a HostEndpoint or a .NET endpoint.</summary>
public sealed class EndpointArgument
{
    private readonly object? _value;

    /// <summary>The text <c>host:port</c>.</summary>
    public EndpointArgument(string text) => _value = text;

    /// <summary>A HostEndpoint, or something that reads as <c>host:port</c>.</summary>
    public EndpointArgument(object value) => _value = value is PSObject wrapped ? wrapped.BaseObject : value;

    /// <summary>The endpoint meant.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    internal HostEndpoint Resolve() => _value switch
    {
        HostEndpoint endpoint => endpoint,
        System.Net.IPEndPoint ip => HostEndpoint.From(ip),
        System.Net.DnsEndPoint dns => new HostEndpoint(dns.Host, dns.Port),
        _ when ToString().Contains("://", StringComparison.Ordinal) =>
            throw new FormatException($"'{this}' is a URL; a destination is host:port without anything else, for example example.org:80."),
        _ => HostEndpoint.Parse(ToString()),
    };

    /// <summary>The user's text.</summary>
    public override string ToString() => _value?.ToString()?.Trim() ?? "";
}

namespace ProxyShell.Engine.Configuration;

/// <summary>A service of a configuration cannot start; the message reads "name cannot start: why".</summary>
public sealed class ServiceStartException(string service, Exception inner)
    : IOException($"{service} cannot start: {inner?.Message}", inner)
{
    /// <summary>The name of the service.</summary>
    public string Service { get; } = service;
}

using ProxyShell.Engine.Access;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Host.Running;

/// <summary>One line that says what listens where.</summary>
internal static class ServiceLine
{
    public static string Describe(ListenerService service) => service is AccessListener access
        ? $"{service.Name}: listening on {service.Uri} for {(access.Destination is { } to ? to.ToString() : "any destination")}, {(access.Chain.Count == 0 ? "direct" : $"through {access.Chain}")}"
        : $"{service.Name}: listening on {service.Uri}";
}

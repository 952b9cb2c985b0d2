using System.Globalization;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Host.Running;

/// <summary>One line that says what listens where, or what is published where.</summary>
internal static class ServiceLine
{
    public static string Describe(ListenerService service) => service switch
    {
        AccessListener access => $"{service.Name}: listening on {service.Uri} for {(access.Destination is { } to ? to.ToString() : "any destination")}, {(access.Chain.Count == 0 ? "direct" : $"through {access.Chain}")}",
        TunnelGateway gateway => $"{service.Name}: listening on {service.Uri} for agents{PublicPort(gateway.HttpPort, "HTTP")}{PublicPort(gateway.HttpsPort, "HTTPS")}",
        _ => $"{service.Name}: listening on {service.Uri}",
    };

    public static string Describe(TunnelAgent agent) => agent.State == TunnelAgentState.Connected
        ? $"{agent.Name}: {agent.Url} leads to {agent.Options.Destination}"
        : $"{agent.Name}: {agent.Options.Destination} is not published yet: {agent.StatusMessage}";

    private static string PublicPort(int port, string what) => port == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", on port {port} for {what}");
}

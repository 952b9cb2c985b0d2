using System.Globalization;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Striping;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Host.Running;

/// <summary>One line that says what listens where, or what is published where.</summary>
internal static class ServiceLine
{
    public static string Describe(ListenerService service) => service switch
    {
        AccessListener access => $"{service.Name}: listening on {service.Uri} for {(access.Destination is { } to ? to.ToString() : "any destination")}, {(access.Chain.Count == 0 ? "direct" : $"through {access.Chain}")}",
        TunnelGateway gateway => $"{service.Name}: listening on {service.Uri} for agents{PublicPort(gateway.HttpPort, "HTTP")}{PublicPort(gateway.HttpsPort, "HTTPS")}",
        StripedPipeEntry near => $"{service.Name}: listening on {service.Uri} for the far end {near.Peer}{Ways(near)}",
        StripedPipeExit far => $"{service.Name}: listening on {service.Uri} for near ends, whose {(far.Options.Udp ? "datagrams" : "connections")} go to {far.Destination}",
        _ => $"{service.Name}: listening on {service.Uri}",
    };

    public static string Describe(TunnelAgent agent) => agent.State == TunnelAgentState.Connected
        ? $"{agent.Name}: {agent.Url} leads to {agent.Options.Destination}"
        : $"{agent.Name}: {agent.Options.Destination} is not published yet: {agent.StatusMessage}";

    private static string Ways(StripedPipeEntry near) => near.Options.Chains.Count == 0 ? ", direct" : $", through {string.Join(" and ", near.Options.Chains)}";

    private static string PublicPort(int port, string what) => port == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", on port {port} for {what}");
}

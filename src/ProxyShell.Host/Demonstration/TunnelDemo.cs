using System.Net;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Tunnels;
using ProxyShell.Host.Running;

namespace ProxyShell.Host.Demonstration;

/// <summary>Publishes the access listener of the demonstration on a gateway: HTTP through gateway, agent and all hops of the chain.</summary>
internal sealed class TunnelDemo(TextWriter writer, DemoOrigin origin)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>True when the file arrived unchanged, and the gateway says that the name is gone when the agent is.</summary>
    public async Task<bool> RunAsync(AccessListener access, IReadOnlyList<ListenerService> services, CancellationToken cancellationToken)
    {
        using var identity = TunnelIdentity.Create();
        var gateway = new TunnelGateway(new TunnelGatewayOptions { Name = "gate", HttpPort = 0, AuthorizedKeys = [identity.Thumbprint] });
        await using (gateway.ConfigureAwait(false))
        {
            await gateway.StartAsync(cancellationToken).ConfigureAwait(false);
            var agent = new TunnelAgent(new TunnelAgentOptions
            {
                Name = "blog",
                Gateway = GatewayAddress.Parse(gateway.Uri),
                Destination = TunnelDestination.Parse($"http://127.0.0.1:{access.LocalPort}"),
                Identity = identity,
                HostName = "blog",
            });
            await using (agent.ConfigureAwait(false))
            {
                await agent.StartAsync(cancellationToken).ConfigureAwait(false);
                writer.WriteLine($"\n{ServiceLine.Describe(gateway)}\n{ServiceLine.Describe(agent)}");
                bool equal = await DownloadAsync(gateway, agent, services, cancellationToken).ConfigureAwait(false);
                await agent.StopAsync().WaitAsync(Patience, cancellationToken).ConfigureAwait(false);
                bool gone = await IsGoneAsync(gateway, agent, cancellationToken).ConfigureAwait(false);
                await gateway.StopAsync().WaitAsync(Patience, cancellationToken).ConfigureAwait(false);
                return equal && gone && gateway.GetConnections().Count == 0 && agent.GetConnections().Count == 0;
            }
        }
    }

    private Task<bool> DownloadAsync(TunnelGateway gateway, TunnelAgent agent, IReadOnlyList<ListenerService> services, CancellationToken cancellationToken)
    {
        writer.WriteLine($"\n{agent.Url}/file, {origin.Length / 1024 / 1024} MiB through gateway, agent and chain; tunnels and connections half-way:");
        return new Download(writer, origin).RunAsync(gateway.HttpPort, $"{agent.HostName}:{gateway.HttpPort}", () => Show(gateway, agent, services), cancellationToken);
    }

    private void Show(TunnelGateway gateway, TunnelAgent agent, IReadOnlyList<ListenerService> services)
    {
        TunnelTable.Write(writer, gateway);
        writer.WriteLine();
        IEnumerable<ProxyConnection> connections = [.. gateway.GetConnections(), .. agent.GetConnections(), .. services.SelectMany(service => service.GetConnections())];
        ConnectionTable.Write(writer, connections);
    }

    private async Task<bool> IsGoneAsync(TunnelGateway gateway, TunnelAgent agent, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler { UseProxy = false };
        using var client = new HttpClient(handler) { Timeout = Patience };
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://127.0.0.1:{gateway.HttpPort}/file"));
        request.Headers.Host = agent.HostName;
        using HttpResponseMessage response = await client.SendAsync(request, cancellationToken).ConfigureAwait(false);
        string text = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        writer.WriteLine($"\n{agent.Name} is stopped; the gateway says now: {(int)response.StatusCode}, {text.Trim()}");
        return response.StatusCode == HttpStatusCode.NotFound;
    }
}

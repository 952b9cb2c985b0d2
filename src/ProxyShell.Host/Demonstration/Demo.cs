using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Host.Tables;

namespace ProxyShell.Host.Demonstration;

/// <summary>The main job on one machine: real HTTP from an origin through three proxy servers and an access listener, and through a tunnel to it.</summary>
internal sealed class Demo(TextWriter writer)
{
    private const int FileLength = 64 * 1024 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>Runs it; true when the file arrived unchanged, the broken hop was named and everything stopped cleanly.</summary>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        var origin = new DemoOrigin(FileLength);
        await using (origin.ConfigureAwait(false))
        {
            HostEndpoint destination = HostEndpoint.From(origin.EndPoint);
            ProxyServer[] servers = [Server("p1"), Server("p2", ProxyKey.Create()), Server("p3")];
            foreach (ProxyServer server in servers) await server.StartAsync(cancellationToken).ConfigureAwait(false);
            var chain = new ProxyChain(servers.Select(server => server.ToHop()));
            var access = new AccessListener(new AccessListenerOptions { Name = "web", Destination = destination, Chain = chain });
            await access.StartAsync(cancellationToken).ConfigureAwait(false);
            foreach (ListenerService service in (ListenerService[])[.. servers, access]) writer.WriteLine(Running.ServiceLine.Describe(service));

            bool equal = await DownloadAsync(origin, [.. servers, access], access.LocalPort, cancellationToken).ConfigureAwait(false);
            bool published = await new TunnelDemo(writer, origin).RunAsync(access, [.. servers, access], cancellationToken).ConfigureAwait(false);
            bool whole = await TestAsync(chain, destination, cancellationToken).ConfigureAwait(false) is null;
            await servers[1].StopAsync(TimeSpan.Zero).ConfigureAwait(false);
            writer.WriteLine($"\n{servers[1].Name} is stopped; the same test again:");
            string? fault = await TestAsync(chain, destination, cancellationToken).ConfigureAwait(false);
            bool named = fault == $"hop 2 ({chain.Hops[1].Endpoint}): connection refused";
            bool clean = await StopAsync([.. servers, access]).ConfigureAwait(false);
            return equal && published && whole && named && clean;
        }
    }

    private static ProxyServer Server(string name, params ProxyKey[] keys) => new(new ProxyServerOptions { Name = name, Keys = keys });

    private Task<bool> DownloadAsync(DemoOrigin origin, ListenerService[] services, int port, CancellationToken cancellationToken)
    {
        writer.WriteLine($"\nhttp://127.0.0.1:{port}/file, {FileLength / 1024 / 1024} MiB through {services.Length - 1} hops; the connections half-way:");
        return new Download(writer, origin).RunAsync(
            port, host: null, () => ConnectionTable.Write(writer, services.SelectMany(service => service.GetConnections())), cancellationToken);
    }

    private async Task<string?> TestAsync(ProxyChain chain, HostEndpoint destination, CancellationToken cancellationToken)
    {
        var results = new List<HopTestResult>();
        await foreach (HopTestResult result in new ChainTester().TestAsync(chain, destination, cancellationToken).ConfigureAwait(false)) results.Add(result);
        writer.WriteLine();
        HopTable.Write(writer, results);
        return results.Find(result => result.Error is not null)?.Error!.Message;
    }

    private async Task<bool> StopAsync(ListenerService[] services)
    {
        await Task.WhenAll(services.Select(service => service.StopAsync())).WaitAsync(Patience).ConfigureAwait(false);
        bool clean = services.All(service => service.State == ServiceState.Stopped && service.GetConnections().Count == 0);
        writer.WriteLine($"\n{(clean ? "everything is stopped, no connection is left" : "connections are LEFT after the stop")}");
        return clean;
    }
}

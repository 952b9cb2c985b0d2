using System.Security.Cryptography;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Host.Tables;

namespace ProxyShell.Host.Demonstration;

/// <summary>The main job on one machine: real HTTP from an origin through three proxy servers and an access listener.</summary>
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
            bool whole = await TestAsync(chain, destination, cancellationToken).ConfigureAwait(false) is null;
            await servers[1].StopAsync(TimeSpan.Zero).ConfigureAwait(false);
            writer.WriteLine($"\n{servers[1].Name} is stopped; the same test again:");
            string? fault = await TestAsync(chain, destination, cancellationToken).ConfigureAwait(false);
            bool named = fault == $"hop 2 ({chain.Hops[1].Endpoint}): connection refused";
            bool clean = await StopAsync([.. servers, access]).ConfigureAwait(false);
            return equal && whole && named && clean;
        }
    }

    private static ProxyServer Server(string name, params ProxyKey[] keys) => new(new ProxyServerOptions { Name = name, Keys = keys });

    private async Task<bool> DownloadAsync(DemoOrigin origin, ListenerService[] services, int port, CancellationToken cancellationToken)
    {
        writer.WriteLine($"\nhttp://127.0.0.1:{port}/file, {FileLength / 1024 / 1024} MiB through {services.Length - 1} hops; the connections half-way:");
        using var handler = new SocketsHttpHandler { UseProxy = false };
        using var client = new HttpClient(handler) { Timeout = Patience };
        using Stream body = await client.GetStreamAsync(new Uri($"http://127.0.0.1:{port}/file"), cancellationToken).ConfigureAwait(false);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[64 * 1024];
        bool shown = false;
        for (long total = 0; await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var count;)
        {
            hash.AppendData(buffer.AsSpan(0, count));
            total += count;
            if (!shown && total >= FileLength / 2) ConnectionTable.Write(writer, services);
            shown |= total >= FileLength / 2;
        }
        string received = Convert.ToHexStringLower(hash.GetHashAndReset());
        bool equal = received == origin.Checksum;
        writer.WriteLine($"\nSHA-256 at the origin  {origin.Checksum}\nSHA-256 as received    {received}  {(equal ? "equal" : "DIFFERENT")}");
        return equal;
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

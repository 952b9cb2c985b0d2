using System.Diagnostics;
using ProxyShell.Bench.Measuring;
using ProxyShell.Bench.Origins;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Rows;

/// <summary>A gateway, agents with many tunnels, and the web server behind all of them, each a process of its own.</summary>
internal sealed class TunnelSite : IDisposable
{
    private static readonly TimeSpan RegistrationTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);
    private static readonly Dictionary<string, string> NoSettings = [];

    private readonly List<ServerProcess> _agents = [];
    private ServerProcess? _gateway;

    private TunnelSite(ServerProcess service) => Service = service;

    internal ServerProcess Service { get; }

    internal ProcessTree Gateway => _gateway!.Tree;

    /// <summary>Where the public connects; the service's own port when there is no gateway.</summary>
    internal int Port => _gateway?.Port ?? Service.Port;

    internal double AgentMemory => _agents.Sum(agent => agent.Tree.Memory().Proportional);

    /// <summary>Returns when all tunnels are served.</summary>
    /// <param name="host">Null for the service alone.</param>
    /// <param name="agents">The tunnels of each agent process.</param>
    internal static async Task<TunnelSite> StartAsync(BenchContext context, ProxyShellHost? host, params IEnumerable<int>[] agents)
    {
        var site = new TunnelSite(await OriginSpecification.Web().StartAsync(context));
        try
        {
            if (host is not null)
                await site.PublishAsync(context, host, agents);
            return site;
        }
        catch
        {
            site.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _agents.ForEach(agent => agent.Dispose());
        _gateway?.Dispose();
        Service.Dispose();
    }

    private async Task PublishAsync(BenchContext context, ProxyShellHost host, IEnumerable<int>[] agents)
    {
        int publicPort = FreePorts.Take();
        var files = new TunnelFiles(context.Directory, FreePorts.Take(), encrypted: true);
        _gateway = await StartAsync("gateway", files.Gateway(publicPort, null));
        for (int i = 0; i < agents.Length; i++)
            _agents.Add(await StartAsync("agent", files.WebAgent(agents[i], Service.Port, $"agent{i}")));
        foreach (int tunnel in agents.SelectMany(tunnels => tunnels))
            await WaitUntilServedAsync(tunnel, context.Cancelled);

        Task<ServerProcess> StartAsync(string name, string file)
        {
            ProcessCommand command = host.Run(file, NoSettings) with { Processors = context.RelayProcessors };
            return ServerProcess.StartAsync(name, command, publicPort, Readiness.Accepts, context.Cancelled);
        }
    }

    private async Task WaitUntilServedAsync(int tunnel, CancellationToken cancellationToken)
    {
        long started = Stopwatch.GetTimestamp();
        while (!await HttpProbe.IsServedAsync(Port, TunnelFiles.HostOf(tunnel), WebServer.SmallPath, cancellationToken))
        {
            if (Stopwatch.GetElapsedTime(started) > RegistrationTimeout)
                throw new IOException($"{TunnelFiles.HostOf(tunnel)} is not served");
            await Task.Delay(Poll, cancellationToken);
        }
    }
}

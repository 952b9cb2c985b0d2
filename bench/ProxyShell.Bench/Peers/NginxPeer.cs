namespace ProxyShell.Bench.Peers;

/// <summary>nginx with its stream module.</summary>
/// <param name="bufferSize">The value of <c>proxy_buffer_size</c>; null leaves nginx's own, 16 KiB.</param>
internal sealed class NginxPeer(RelayService service, string? bufferSize = null) : IRelayPeer
{
    private static readonly string[] ModulePaths =
    [
        "/usr/lib/nginx/modules/ngx_stream_module.so",
        "/usr/lib64/nginx/modules/ngx_stream_module.so",
        "/usr/local/lib/nginx/modules/ngx_stream_module.so",
    ];

    public string Id => bufferSize is null ? "nginx" : $"nginx-{bufferSize}";

    public string Name => bufferSize is null ? "nginx stream" : $"nginx stream, {bufferSize} buffers";

    public RelayService Service => service;

    public bool BulkOnly => bufferSize is not null;

    public int MaxIdlePairs => int.MaxValue;

    public string? FindVersion() => InstalledProgram.FindLine("nginx", "-v", "nginx version");

    public ProcessCommand Prepare(RelayPlan plan)
    {
        string file = Path.Combine(plan.Directory, $"{Id}-{plan.Port}.conf");
        File.WriteAllText(file, Configuration(plan));
        return new ProcessCommand(InstalledProgram.Find("nginx")!, ["-p", plan.Directory, "-c", file, "-e", "stderr"]);
    }

    private string Configuration(RelayPlan plan)
    {
        // packaged as a loadable module on some systems, built in on others
        string? module = Array.Find(ModulePaths, File.Exists);
        return $$"""
            {{(module is null ? string.Empty : $"load_module {module};")}}
            daemon off;
            {{(Environment.UserName == "root" ? "user root;" : string.Empty)}}
            worker_processes {{plan.Processors}};
            pid {{plan.Directory}}/nginx-{{plan.Port}}.pid;
            error_log stderr error;
            events { worker_connections {{(2 * plan.MaxConnections) + 64}}; }
            stream {
                access_log off;
                server {
                    listen 127.0.0.1:{{plan.Port}} {{(service == RelayService.Udp ? "udp reuseport" : "backlog=4096")}};
                    proxy_pass 127.0.0.1:{{plan.DestinationPort}};
                    proxy_timeout 1h;
                    {{(bufferSize is null ? string.Empty : $"proxy_buffer_size {bufferSize};")}}
                }
            }
            """;
    }
}

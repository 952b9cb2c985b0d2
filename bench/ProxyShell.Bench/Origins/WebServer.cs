using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Origins;

/// <summary>nginx with two files to serve: a small one at <see cref="SmallPath"/>, a large one at <see cref="LargePath"/>.</summary>
internal static class WebServer
{
    internal const string SmallPath = "/small";
    internal const string LargePath = "/large";
    internal const int SmallSize = 200;
    internal const long LargeSize = 64L * 1024 * 1024; // stays in the page cache

    private const int MaxConnections = 16 * 1024;

    /// <summary>Null when nginx is not installed.</summary>
    internal static string? FindVersion() => InstalledProgram.FindLine("nginx", "-v", "nginx version");

    /// <summary>Writes files and configuration and tells how to start.</summary>
    internal static ProcessCommand Prepare(int port, string parentDirectory)
    {
        string directory = Path.Combine(parentDirectory, $"web-{port}");
        string files = Directory.CreateDirectory(Path.Combine(directory, "files")).FullName;
        File.WriteAllText(files + SmallPath, new string('x', SmallSize));
        using (FileStream large = File.Create(files + LargePath))
            large.SetLength(LargeSize);
        string configuration = Path.Combine(directory, "nginx.conf");
        File.WriteAllText(configuration, Configuration(port, directory, files));
        return new ProcessCommand(InstalledProgram.Find("nginx")!, ["-p", directory, "-c", configuration, "-e", "stderr"]);
    }

    // a connection that nginx closes after its 1,000 requests would count against the relay
    private static string Configuration(int port, string directory, string files) => $$"""
        daemon off;
        {{(Environment.UserName == "root" ? "user root;" : string.Empty)}}
        worker_processes {{Environment.ProcessorCount}};
        pid {{directory}}/nginx.pid;
        error_log stderr error;
        events { worker_connections {{MaxConnections}}; }
        http {
            access_log off;
            sendfile on;
            keepalive_requests 1000000000;
            keepalive_timeout 1h;
            client_body_temp_path {{directory}}/body;
            proxy_temp_path {{directory}}/proxy;
            fastcgi_temp_path {{directory}}/fastcgi;
            uwsgi_temp_path {{directory}}/uwsgi;
            scgi_temp_path {{directory}}/scgi;
            server {
                listen 127.0.0.1:{{port}} backlog=4096;
                root {{files}};
            }
        }
        """;
}

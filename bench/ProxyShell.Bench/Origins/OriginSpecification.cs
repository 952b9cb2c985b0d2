using ProxyShell.Bench.Peers;
using ProxyShell.Bench.Rows;

namespace ProxyShell.Bench.Origins;

/// <summary>An origin to start in a process of its own.</summary>
internal sealed record OriginSpecification(string Kind, params string[] Arguments)
{
    internal static OriginSpecification Source(SourceMode mode) => new("source", mode.ToString());

    /// <summary>Counting numbers, so that every byte can be told from every other.</summary>
    internal static OriginSpecification Sequence() => new("sequence");

    internal static OriginSpecification Reply(int requestSize, int replySize) => new("reply", $"{requestSize}", $"{replySize}");

    /// <summary>Datagrams come back as they are.</summary>
    internal static OriginSpecification Echo() => new("echo") { Readiness = Readiness.Echoes };

    /// <summary>nginx with the files of <see cref="WebServer"/>.</summary>
    internal static OriginSpecification Web() => new("web") { Readiness = Readiness.Answers, Program = WebServer.Prepare };

    /// <summary>Prepares another program for a port, with a directory for its files; null for this one.</summary>
    private Func<int, string, ProcessCommand>? Program { get; init; }

    internal Readiness Readiness { get; private init; } = Readiness.Accepts;

    /// <summary>Starts the origin and returns when it serves.</summary>
    internal Task<ServerProcess> StartAsync(BenchContext context)
    {
        int port = FreePorts.Take();
        ProcessCommand command = Program?.Invoke(port, context.Directory) ?? ProcessCommand.Self([OriginRole.Name, Kind, $"{port}", .. Arguments]);
        return ServerProcess.StartAsync("origin", command, port, Readiness, context.Cancelled);
    }
}

using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Origins;

/// <summary>An origin to start in a process of its own.</summary>
internal sealed record OriginSpecification(string Kind, params string[] Arguments)
{
    internal static OriginSpecification Source(SourceMode mode) => new("source", mode.ToString());

    internal static OriginSpecification Reply(int requestSize, int replySize) => new("reply", $"{requestSize}", $"{replySize}");

    /// <summary>Datagrams come back as they are.</summary>
    internal static OriginSpecification Echo() => new("echo") { Readiness = Readiness.Echoes };

    internal Readiness Readiness { get; private init; } = Readiness.Accepts;

    /// <summary>Starts the origin and returns when it serves.</summary>
    internal Task<ServerProcess> StartAsync(CancellationToken cancellationToken)
    {
        int port = FreePorts.Take();
        ProcessCommand command = ProcessCommand.Self([OriginRole.Name, Kind, $"{port}", .. Arguments]);
        return ServerProcess.StartAsync("origin", command, port, Readiness, cancellationToken);
    }
}

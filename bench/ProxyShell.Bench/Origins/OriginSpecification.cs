using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Origins;

/// <summary>An origin to start in a process of its own.</summary>
internal sealed record OriginSpecification(string Kind, params string[] Arguments)
{
    internal static OriginSpecification Source(SourceMode mode) => new("source", mode.ToString());

    internal static OriginSpecification Reply(int requestSize, int replySize) => new("reply", $"{requestSize}", $"{replySize}");

    /// <summary>Starts the origin and returns when it accepts.</summary>
    internal Task<ServerProcess> StartAsync(CancellationToken cancellationToken)
    {
        int port = FreePorts.Take();
        ProcessCommand command = ProcessCommand.Self([OriginRole.Name, Kind, $"{port}", .. Arguments]);
        return ServerProcess.StartAsync("origin", command, port, cancellationToken);
    }
}

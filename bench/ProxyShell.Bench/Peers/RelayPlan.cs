namespace ProxyShell.Bench.Peers;

/// <summary>What a relay has to do: listen on one loopback port, forward to another, hold so many connections.</summary>
/// <param name="Directory">A temporary directory for the relay's own files.</param>
internal sealed record RelayPlan(int Port, int DestinationPort, int MaxConnections, string Directory)
{
    /// <summary>How many processors the relay may use.</summary>
    internal int Processors { get; init; } = Environment.ProcessorCount;
}

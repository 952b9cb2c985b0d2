namespace ProxyShell.Bench.Peers;

/// <summary>What a relay has to do: listen on one loopback port, forward to another, hold so many connections.</summary>
/// <param name="Directory">A temporary directory for the relay's own files.</param>
internal sealed record RelayPlan(int Port, int DestinationPort, int MaxConnections, string Directory)
{
    /// <summary>How many processors the relay may use.</summary>
    internal int Processors { get; init; } = Environment.ProcessorCount;

    /// <summary>A second port with a destination of its own, for relays that carry both over one connection.</summary>
    internal Forward? Second { get; init; }

    /// <summary>For relays of two ends: where the far one listens.</summary>
    internal int CarrierPort { get; init; }

    /// <summary>Where the near end finds the far one: its port, or that of a link in between.</summary>
    internal int DialledPort { get; init; }

    internal IEnumerable<Forward> Forwards => Second is { } second ? [new Forward(Port, DestinationPort), second] : [new Forward(Port, DestinationPort)];
}

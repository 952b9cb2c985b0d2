using System.Net;

namespace ProxyShell.Engine.Striping;

/// <summary>How a stripe of a pipe was at the moment of asking.</summary>
public sealed record StripeInfo
{
    /// <summary>The name of the end of a pipe that was asked, which is also the name of its job.</summary>
    public string Service { get; init; } = "";

    /// <summary>The pipe it belongs to: the first 8 hexadecimal digits of its name; empty while it is not connected.</summary>
    public required string Pipe { get; init; }

    /// <summary>Its number in the pipe; none is used twice. 0 while it is not connected.</summary>
    public required long Number { get; init; }

    /// <summary>How it is.</summary>
    public required StripeState State { get; init; }

    /// <summary>The way it takes: hops, or the other end's address.</summary>
    public required string Path { get; init; }

    /// <summary>This end's address; null while it is not connected.</summary>
    public EndPoint? LocalEndPoint { get; init; }

    /// <summary>The highest rate at which bytes arrived lately, in bytes per second, as measured by acknowledgements; 0 while unknown.</summary>
    public double Rate { get; init; }

    /// <summary>The round trip, with the queues on the way.</summary>
    public TimeSpan RoundTrip { get; init; }

    /// <summary>Bytes that were sent and have not been acknowledged.</summary>
    public long Queued { get; init; }

    /// <summary>Bytes sent over it that had gone over another stripe before, which was lost or stalled.</summary>
    public long Resent { get; init; }

    /// <summary>Bytes sent, frames included.</summary>
    public long BytesSent { get; init; }

    /// <summary>Bytes received, frames included.</summary>
    public long BytesReceived { get; init; }

    /// <summary>Why it was lost, or could not be connected, the last time; null when it never was.</summary>
    public string? LastError { get; init; }
}

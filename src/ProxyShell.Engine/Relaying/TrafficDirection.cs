namespace ProxyShell.Engine.Relaying;

/// <summary>Which way bytes go, in the words of <see cref="Diagnostics.Traffic"/>.</summary>
internal enum TrafficDirection
{
    /// <summary>From the client towards the destination.</summary>
    Sent,

    /// <summary>From the destination towards the client.</summary>
    Received,
}

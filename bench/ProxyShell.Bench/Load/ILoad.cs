namespace ProxyShell.Bench.Load;

/// <summary>Work that runs on threads of its own until it is disposed.</summary>
internal interface ILoad : IDisposable
{
    /// <summary>Bytes, requests or connections completed so far.</summary>
    long Completed { get; }

    /// <summary>Connections that broke or were refused so far.</summary>
    long Failures { get; }

    /// <summary>Times of single operations, where the load has such.</summary>
    LatencyHistogram? Latency { get; }

    /// <summary>What ended the load early, if anything did.</summary>
    Exception? Fault { get; }

    void Start();
}

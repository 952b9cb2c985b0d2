namespace ProxyShell.Bench.Peers;

/// <summary>How a started program shows that it serves.</summary>
internal enum Readiness
{
    /// <summary>Its port accepts connections.</summary>
    Accepts,

    /// <summary>A datagram to its port comes back.</summary>
    Echoes,

    /// <summary>It answers an HTTP request for the first tunnel's host with 200.</summary>
    Answers,
}

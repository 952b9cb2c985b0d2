namespace ProxyShell.Engine.Chains;

/// <summary>What a datagram turns out to be that came back from the first hop.</summary>
internal enum DatagramArrival
{
    /// <summary>Not for this flow, or malformed: to be dropped, since anybody can send such.</summary>
    Foreign,

    /// <summary>The destination's, with the answers of all hops before it.</summary>
    Payload,

    /// <summary>A hop, or the destination through one, refuses the flow.</summary>
    Refused,

    /// <summary>A hop that knew the flow knows it no more, having been restarted or having taken silence for the end: new requests are needed.</summary>
    Forgotten,
}

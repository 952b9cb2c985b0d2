using System.Net;
using ProxyShell.Engine.Addressing;

namespace ProxyShell.Engine.Inbound;

/// <summary>What stands around the datagrams between a client and its <see cref="DatagramAssociation"/>: a header that names the destination.</summary>
internal interface IDatagramEnvelope
{
    /// <summary>How long the header at the front of a client's datagram is; 0 when the datagram is to be dropped: malformed, or a fragment.</summary>
    int Measure(ReadOnlySpan<byte> datagram);

    /// <summary>The destination that a measured header names, or null when that is no valid one; asked once for each flow.</summary>
    HostEndpoint? Read(ReadOnlySpan<byte> header);

    /// <summary>
    /// The header for the datagrams that come back from there; asked once for each flow. <paramref name="source"/> is the address that
    /// they come from, or null when only a hop knows it.
    /// </summary>
    byte[] Answer(ReadOnlySpan<byte> header, IPEndPoint? source);
}

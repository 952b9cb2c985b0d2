using System.Net;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Transport;

/// <summary>
/// A UDP socket, bound to a local address or connected to a remote one. Sending never waits: what the system cannot take is lost, as
/// it may be anywhere on its way. A datagram is sent in two parts, a head and a body, either of which may be empty.
/// </summary>
internal abstract class DatagramSocket : IAbortable, IDisposable
{
    /// <summary>The longest datagram there is: the length field of UDP has 16 bits (RFC 768).</summary>
    public const int MaxLength = 65_535;

    /// <summary>What is asked of the system for each socket's buffers; it gives as much as its limits allow.</summary>
    public const int BufferSize = 4 * 1024 * 1024;

    private const int HeaderLength = 8;
    private const int Ipv4HeaderLength = 20;

    private long _truncated;

    /// <summary>The bound address, with the real port.</summary>
    public abstract IPEndPoint LocalEndPoint { get; }

    /// <summary>The address it is connected to, or null.</summary>
    public IPEndPoint? RemoteEndPoint { get; protected init; }

    /// <summary>The most bytes one datagram can carry: 65,507 over IPv4, 65,527 over IPv6.</summary>
    public int MaxPayload => MaxLength - HeaderLength - (LocalEndPoint.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? Ipv4HeaderLength : 0);

    /// <summary>Datagrams that were longer than the socket takes; they are dropped, never cut short.</summary>
    public long Truncated => Interlocked.Read(ref _truncated);

    /// <summary>Starts receiving.</summary>
    public abstract void Start(IDatagramReceiver receiver);

    /// <summary>Sends to the address the socket is connected to; false when the datagram is too long or the system took it not.</summary>
    public abstract bool Send(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body);

    /// <summary>Sends to an address, from the local address that the peer used; false as for <see cref="Send"/>.</summary>
    public abstract bool SendTo(in DatagramPeer to, ReadOnlySpan<byte> head, ReadOnlySpan<byte> body);

    /// <summary>Closes the socket; a receiver that is running in another thread may finish what it is doing.</summary>
    public abstract void Dispose();

    /// <summary>Closes the socket.</summary>
    public void Abort() => Dispose();

    protected void CountTruncated() => Interlocked.Increment(ref _truncated);
}

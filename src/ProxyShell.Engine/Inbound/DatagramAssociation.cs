using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>
/// Datagrams for one client that asked for them over a connection (SOCKS5's UDP ASSOCIATE, RFC 1928 §7), and that lives as long as that
/// connection: a socket of its own, and for each destination a flow in the registry with the way out that the service chooses.
/// </summary>
/// <remarks>
/// Make it when the request is read, tell the client <see cref="LocalEndPoint"/>, wait for the end of the connection, and dispose it, which
/// ends its flows. Only the client's own address is listened to; the port is the one it named, or that of its first valid datagram.
/// </remarks>
internal sealed class DatagramAssociation : IDatagramReceiver, IDisposable
{
    /// <summary>The most destinations at a time.</summary>
    public const int MaxFlows = 1024;

    private readonly InboundContext _context;
    private readonly ProxyConnection _control;
    private readonly IDatagramEnvelope _envelope;
    private readonly DatagramSocket _socket;
    private readonly UInt128 _clientAddress;
    private readonly ConcurrentDictionary<byte[], AssociationFlow> _flows = new(ByteSequenceComparer.Instance);
    private readonly ConcurrentDictionary<byte[], AssociationFlow>.AlternateLookup<ReadOnlySpan<byte>> _byHeader;
    private DatagramPeer _client;
    private AssociationFlow? _last;
    private volatile bool _disposed;

    /// <summary>Binds a socket and begins to receive.</summary>
    /// <param name="context">The service.</param>
    /// <param name="control">The record of the connection that asked; it is not idle while datagrams pass.</param>
    /// <param name="local">The address to bind, as a rule the one at which the client reached the service.</param>
    /// <param name="client">The client's address, and the port it sends from, 0 when that is not known yet.</param>
    /// <param name="envelope">What stands around the client's datagrams.</param>
    /// <exception cref="ProxyException">The socket cannot be bound.</exception>
    public DatagramAssociation(InboundContext context, ProxyConnection control, IPAddress local, IPEndPoint client, IDatagramEnvelope envelope)
    {
        (_context, _control, _envelope) = (context, control, envelope);
        _byHeader = _flows.GetAlternateLookup<ReadOnlySpan<byte>>();
        DatagramPeer expected = DatagramPeer.From(client.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(client.Address.MapToIPv4(), client.Port) : client);
        _clientAddress = expected.Address;
        if (client.Port != 0) _client = expected;
        _socket = context.Options.Sockets.BindDatagrams(new IPEndPoint(local.IsIPv4MappedToIPv6 ? local.MapToIPv4() : local, 0));
        _socket.Start(this);
    }

    /// <summary>Where the client shall send its datagrams.</summary>
    public IPEndPoint LocalEndPoint => _socket.LocalEndPoint;

    /// <summary>What its flows may move.</summary>
    public Bandwidth Bandwidth { get; init; } = Bandwidth.Unlimited;

    /// <summary>The most bytes that one datagram to the client carries, its header included.</summary>
    public int MaxPayload => _socket.MaxPayload;

    void IDatagramReceiver.OnReceived(DatagramSocket socket, in DatagramPeer from, ReadOnlySpan<byte> datagram)
    {
        if (_disposed || from.Address != _clientAddress || (_client.Port != 0 && from.Port != _client.Port)) return;
        int length = _envelope.Measure(datagram);
        if (length == 0) return;
        if (_client.Port == 0) _client = from;
        ReadOnlySpan<byte> header = datagram[..length];
        // most datagrams go where the one before went
        if (_last is not { HasEnded: false } flow || !header.SequenceEqual(flow.Header)) flow = Find(header);
        if (flow is null) return;
        _control.NoteActivity();
        flow.Send(datagram[length..]);
    }

    void IDatagramReceiver.OnError(DatagramSocket socket, SocketError error)
    {
        // a bound socket is not told of anything that would end the association
    }

    /// <summary>Ends all flows and closes the socket.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        // one that is being entered meanwhile sees that it came too late
        foreach (AssociationFlow flow in _flows.Values) flow.Abort();
        _socket.Dispose();
    }

    /// <summary>Sends a datagram that came from a flow's destination to the client.</summary>
    public bool Deliver(byte[] head, ReadOnlySpan<byte> payload)
    {
        _control.NoteActivity();
        return _socket.SendTo(_client, head, payload);
    }

    /// <summary>The flow is over.</summary>
    public void Forget(AssociationFlow flow) => _flows.TryRemove(new KeyValuePair<byte[], AssociationFlow>(flow.Header, flow));

    private AssociationFlow? Find(ReadOnlySpan<byte> header)
    {
        if (!_byHeader.TryGetValue(header, out AssociationFlow? flow) || flow.HasEnded) flow = Open(header);
        return _last = flow;
    }

    private AssociationFlow? Open(ReadOnlySpan<byte> header)
    {
        if (_flows.Count >= MaxFlows) return null;
        if (_envelope.Read(header) is not { Port: > 0 } destination) return null;
        var flow = new AssociationFlow(this, _context.Registry, header.ToArray(), _envelope) { Bandwidth = Bandwidth };
        _flows[flow.Header] = flow;
        if (!_context.TryEnter(flow, _client.ToEndPoint(), destination.ToString()))
        {
            Forget(flow);
            return null;
        }
        if (_disposed) flow.Abort();
        // ends with the flow at the latest, and the flow is in the registry
        else _ = _context.OpenAsync(flow, destination, _socket);
        return flow;
    }
}

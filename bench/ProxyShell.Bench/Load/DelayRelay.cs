using System.Net;
using System.Net.Sockets;

namespace ProxyShell.Bench.Load;

/// <summary>
/// A simulated link: forwards each chunk in order, a fixed time after it came, in both directions, and no faster than a connection of it may. Its
/// connections can be killed, frozen and refused one by one.
/// </summary>
/// <remarks>
/// It accepts at once: the handshake of TCP itself is not delayed, only what travels on the connection. A connection without a rate limits nothing in
/// flight, so the delay costs no throughput. One with a rate has a short queue, and what finds no room there waits in the sender's socket.
/// </remarks>
internal sealed class DelayRelay : IDisposable
{
    private const int Backlog = 128;

    private readonly Lock _gate = new();
    private readonly Dictionary<int, LinkConnection> _open = [];
    private readonly HashSet<int> _refused = [];
    private readonly Func<int, LinkShape?> _shapeOf;
    private readonly int _destinationPort;
    private Socket? _listener;
    private bool _frozen;
    private int _accepted;

    /// <summary>A link whose connections are all alike.</summary>
    /// <param name="destinationPort">Where the link leads.</param>
    /// <param name="oneWayDelay">How long each byte travels.</param>
    /// <param name="bytesPerSecond">What a connection carries each way; null for as much as the machine can.</param>
    internal DelayRelay(int destinationPort, TimeSpan oneWayDelay, double? bytesPerSecond = null)
        : this(destinationPort, 0, _ => new LinkShape(oneWayDelay, bytesPerSecond))
    {
    }

    /// <summary>A link of so many connections at a time: a new one takes the first place that is free, and is reset when there is none.</summary>
    internal DelayRelay(int destinationPort, IReadOnlyList<LinkShape> shapes, int port = 0)
        : this(destinationPort, port, place => place < shapes.Count ? shapes[place] : null)
    {
    }

    private DelayRelay(int destinationPort, int port, Func<int, LinkShape?> shapeOf)
    {
        _destinationPort = destinationPort;
        _shapeOf = shapeOf;
        Port = port;
        Up();
    }

    internal int Port { get; private set; }

    /// <summary>The places that have a connection now.</summary>
    internal IReadOnlyList<int> Open
    {
        get
        {
            lock (_gate)
                return [.. _open.Keys.Order()];
        }
    }

    /// <summary>How many connections there were.</summary>
    internal int Accepted => Volatile.Read(ref _accepted);

    public void Dispose() => Down();

    /// <summary>Listens again.</summary>
    internal void Up()
    {
        if (_listener is not null)
            return;
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, optionValue: true);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, Port));
        _listener.Listen(Backlog);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        Socket listener = _listener;
        new Thread(() => AcceptAll(listener), 256 * 1024) { IsBackground = true }.Start();
    }

    /// <summary>Resets all connections, and new ones are refused by the system.</summary>
    internal void Down()
    {
        _listener?.Dispose();
        _listener = null;
        KillAll();
    }

    /// <summary>Resets the connection; the next one may take its place.</summary>
    internal void Kill(int place) => At(place)?.Kill();

    internal void KillAll() => All(connection => connection.Kill());

    /// <summary>Resets the connection, and its place stays empty.</summary>
    internal void Refuse(int place)
    {
        lock (_gate)
            _refused.Add(place);
        Kill(place);
    }

    internal void Freeze(int place) => At(place)?.Freeze();

    /// <summary>Freezes all connections, those that come while it lasts too.</summary>
    internal void FreezeAll()
    {
        lock (_gate)
            _frozen = true;
        All(connection => connection.Freeze());
    }

    internal void ThawAll()
    {
        lock (_gate)
            _frozen = false;
        All(connection => connection.Thaw());
    }

    private LinkConnection? At(int place)
    {
        lock (_gate)
            return _open.GetValueOrDefault(place);
    }

    private void All(Action<LinkConnection> action)
    {
        LinkConnection[] all;
        lock (_gate)
            all = [.. _open.Values];
        Array.ForEach(all, action);
    }

    private void AcceptAll(Socket listener)
    {
        try
        {
            while (true)
                Join(listener.Accept());
        }
        catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
        {
            // the link is down
        }
    }

    private void Join(Socket near)
    {
        var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        near.NoDelay = far.NoDelay = true;
        if (Take(near, far) is { } connection)
        {
            connection.Start();
            return;
        }

        near.LingerState = new LingerOption(enable: true, 0);
        near.Dispose(); // the client will try again
        far.Dispose();
    }

    private LinkConnection? Take(Socket near, Socket far)
    {
        lock (_gate)
        {
            int place = 0;
            while (_open.ContainsKey(place) || _refused.Contains(place))
                place++;
            if (_shapeOf(place) is not { } shape || !TryConnect(far, shape))
                return null;
            _accepted++;
            var connection = new LinkConnection(near, far, shape, () => Remove(place));
            if (_frozen)
                connection.Freeze();
            return _open[place] = connection;
        }
    }

    private void Remove(int place)
    {
        lock (_gate)
            _open.Remove(place);
    }

    private bool TryConnect(Socket far, LinkShape shape)
    {
        try
        {
            if (shape.ReceiveBuffer is { } size)
                far.ReceiveBufferSize = size;
            far.Connect(new IPEndPoint(IPAddress.Loopback, _destinationPort));
            return true;
        }
        catch (SocketException)
        {
            return false; // nobody listens there yet
        }
    }
}

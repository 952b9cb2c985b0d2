using System.Runtime.InteropServices;
using ProxyShell.Bench.Native;
using ProxyShell.Bench.Origins;

namespace ProxyShell.Bench.Load;

/// <summary>Pulls one stream of counting numbers as fast as it can, and looks at every byte of it.</summary>
internal sealed unsafe class SequenceSinkLoad(LoadTarget target) : ILoad
{
    private const int Words = 64 * 1024;

    private readonly ulong[] _received = new ulong[Words];
    private readonly ulong[] _expected = new ulong[Words];
    private Thread? _thread;
    private int _socket;
    private long _position;
    private long _failures;
    private volatile bool _stopping;

    public long Completed => Interlocked.Read(ref _position);

    /// <summary>1 when a byte was wrong, or the stream has ended.</summary>
    public long Failures => Interlocked.Read(ref _failures);

    public LatencyHistogram? Latency => null;

    public Exception? Fault { get; private set; }

    public void Start()
    {
        _socket = LoopbackSocket.Connect(target.Port);
        _thread = new Thread(Run, 256 * 1024) { IsBackground = true };
        _thread.Start();
    }

    public void Dispose()
    {
        _stopping = true;
        if (_thread is null)
            return;
        Libc.Shutdown(_socket, Libc.ShutdownBoth);
        _thread.Join();
        Libc.Close(_socket);
    }

    private void Run()
    {
        try
        {
            while (true)
                Receive();
        }
        catch (IOException failure)
        {
            if (_stopping)
                return;
            Fault = failure;
            Interlocked.Increment(ref _failures);
        }
    }

    // a number of which only a part has come stays at the front and is compared again when it is whole
    private void Receive()
    {
        Span<byte> room = MemoryMarshal.AsBytes(_received.AsSpan());
        int kept = (int)(_position % sizeof(ulong));
        nint count;
        fixed (byte* data = room)
            count = Libc.Receive(_socket, data + kept, room.Length - kept, 0);
        if (count <= 0)
            throw new IOException($"the stream ended after {_position:#,0} bytes");
        int length = kept + (int)count;
        int whole = length - (length % sizeof(ulong));
        SequenceSource.Fill(_expected.AsSpan(0, (length + sizeof(ulong) - 1) / sizeof(ulong)), (ulong)(_position / sizeof(ulong)));
        int same = room[..length].CommonPrefixLength(MemoryMarshal.AsBytes(_expected.AsSpan()));
        if (same < length)
            throw new IOException($"byte {_position - kept + same:#,0} of the stream is wrong");
        room[whole..length].CopyTo(room);
        Interlocked.Add(ref _position, count);
    }
}

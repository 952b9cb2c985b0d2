using ProxyShell.Bench.Native;

namespace ProxyShell.Bench.Load;

/// <summary>Connections that exchange one message each and then only stay open.</summary>
internal sealed unsafe class IdlePairs : IDisposable
{
    private static readonly TimeSpan ReplyTimeout = TimeSpan.FromSeconds(10);

    private readonly List<int> _sockets = [];

    internal void Open(LoadTarget target, int count)
    {
        byte* message = stackalloc byte[Math.Max(target.RequestSize, target.ReplySize)];
        for (int i = 0; i < count; i++)
        {
            int socket = LoopbackSocket.Connect(target.Port);
            _sockets.Add(socket);
            LoopbackSocket.SetReceiveTimeout(socket, ReplyTimeout);
            if (Libc.Send(socket, message, target.RequestSize, Libc.MessageNoSignal) != target.RequestSize)
                throw new IOException($"pair {i + 1} of {count}: the request could not be sent");
            ReadReply(socket, message, target.ReplySize, i + 1);
        }
    }

    public void Dispose()
    {
        foreach (int socket in _sockets)
            Libc.Close(socket);
        _sockets.Clear();
    }

    private static void ReadReply(int socket, byte* buffer, int size, int pair)
    {
        for (nint missing = size; missing > 0;)
        {
            nint count = Libc.Receive(socket, buffer, missing, 0);
            if (count <= 0)
                throw new IOException($"pair {pair}: no reply");
            missing -= count;
        }
    }
}

using ProxyShell.Bench.Native;
using ProxyShell.Bench.Origins;

namespace ProxyShell.Bench.Load;

/// <summary>Clients that ask for the web server's large file and read nothing of it.</summary>
internal sealed unsafe class StalledReaders(LoadTarget target, int clients, string host) : IDisposable
{
    private readonly List<int> _sockets = [];

    internal void Start()
    {
        byte[] get = HttpAnswer.Get(host, WebServer.LargePath);
        fixed (byte* request = get)
        {
            for (int i = 0; i < clients; i++)
            {
                int socket = LoopbackSocket.Connect(target.Port);
                _sockets.Add(socket);
                if (Libc.Send(socket, request, get.Length, Libc.MessageNoSignal) != get.Length)
                    throw new IOException("the request of a stalled reader could not be sent");
            }
        }
    }

    public void Dispose() => _sockets.ForEach(socket => _ = Libc.Close(socket));
}

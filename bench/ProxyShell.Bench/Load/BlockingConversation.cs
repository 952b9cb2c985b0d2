using ProxyShell.Bench.Native;

namespace ProxyShell.Bench.Load;

/// <summary>Goes through the exchanges of a script on a blocking socket.</summary>
internal static unsafe class BlockingConversation
{
    private const int BufferSize = 64 * 1024;
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Returns how many bytes came behind the last answer and were taken with it.</summary>
    /// <exception cref="IOException">The other side refused, ended or stayed silent.</exception>
    internal static int Run(int socket, IReadOnlyList<Exchange> script)
    {
        if (script.Count == 0)
            return 0;
        LoopbackSocket.SetReceiveTimeout(socket, AnswerTimeout);
        var buffer = new byte[BufferSize];
        int surplus = 0;
        foreach (Exchange exchange in script)
            surplus = Run(socket, exchange, buffer);
        LoopbackSocket.SetReceiveTimeout(socket, TimeSpan.Zero);
        return surplus;
    }

    private static int Run(int socket, Exchange exchange, byte[] buffer)
    {
        fixed (byte* request = exchange.Request)
            Libc.Send(socket, request, exchange.Request.Length, Libc.MessageNoSignal); // a failure shows when reading
        int received = 0;
        int length = 0;
        while (length == 0)
        {
            fixed (byte* room = buffer)
            {
                nint count = Libc.Receive(socket, room + received, buffer.Length - received, 0);
                if (count <= 0)
                    throw new IOException("the proxy ended the connection instead of answering");
                received += (int)count;
            }

            length = exchange.AnswerLength(buffer.AsSpan(0, received));
        }

        return length > 0 ? received - length : throw new IOException("the proxy refused the request");
    }
}

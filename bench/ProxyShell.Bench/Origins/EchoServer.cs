using ProxyShell.Bench.Native;

namespace ProxyShell.Bench.Origins;

/// <summary>Sends every datagram back to where it came from.</summary>
/// <remarks>Many datagrams per system call, so that the origin leaves the processors to the relay.</remarks>
internal static class EchoServer
{
    private const int Batch = 64;
    private const int LongestDatagram = 64 * 1024;

    internal static void Serve(int socket)
    {
        using var batch = new DatagramBatch(Batch, LongestDatagram, named: true);
        while (true)
        {
            int count = batch.Receive(socket, Libc.MessageWaitForOne);
            for (int i = 0; i < count; i++)
                batch.Prepare(i, batch.Received(i).Length);
            batch.Send(socket, count);
        }
    }
}

using System.Runtime.InteropServices;
using ProxyShell.Bench.Native;

namespace ProxyShell.Bench.Origins;

/// <summary>Sends 64-bit numbers that count up, without end: every byte tells its place, so a reader sees what is lost, doubled or out of order.</summary>
internal static unsafe class SequenceSource
{
    private const int Words = 32 * 1024;

    internal static void Serve(int listener)
    {
        while (true)
        {
            int connection = NativeError.ThrowIfFailed(Libc.Accept(listener, null, null, Libc.CloseOnExec), "accept4");
            new Thread(() => Feed(connection), 256 * 1024) { IsBackground = true }.Start();
        }
    }

    /// <summary>Writes the numbers from this one on.</summary>
    internal static void Fill(Span<ulong> words, ulong first)
    {
        for (int i = 0; i < words.Length; i++)
            words[i] = first + (ulong)i;
    }

    private static void Feed(int connection)
    {
        var words = new ulong[Words];
        bool open = true;
        for (ulong first = 0; open; first += Words)
        {
            Fill(words, first);
            open = TrySend(connection, MemoryMarshal.AsBytes<ulong>(words));
        }

        Libc.Close(connection);
    }

    private static bool TrySend(int connection, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* data = bytes)
        {
            int sent = 0;
            while (sent < bytes.Length)
            {
                nint count = Libc.Send(connection, data + sent, bytes.Length - sent, Libc.MessageNoSignal);
                if (count <= 0)
                    return false;
                sent += (int)count;
            }
        }

        return true;
    }
}

using System.Runtime.InteropServices;
using ProxyShell.Bench.Native;

namespace ProxyShell.Bench.Origins;

/// <summary>Answers every request of a fixed size with a reply of a fixed size; 1 and 1 make an echo of single bytes.</summary>
/// <remarks>One thread and one epoll set: two system calls per request, many requests per wait.</remarks>
internal sealed unsafe class ReplyServer(int requestSize, int replySize) : IDisposable
{
    private const int BufferSize = 64 * 1024;

    private readonly Epoll _epoll = new();
    private readonly byte* _buffer = (byte*)NativeMemory.AllocZeroed(BufferSize);
    private readonly byte* _reply = (byte*)NativeMemory.AllocZeroed((nuint)replySize);
    private int[] _received = new int[32 * 1024]; // bytes of an unfinished request, by descriptor

    internal void Serve(int listener)
    {
        Libc.FileControl(listener, Libc.SetStatusFlags, Libc.NonBlocking);
        _epoll.Watch(listener, listener, Epoll.Readable);
        while (true)
        {
            int count = _epoll.Wait(-1);
            for (int i = 0; i < count; i++)
            {
                int fd = _epoll.TokenAt(i);
                if (fd == listener)
                    AcceptAll(listener);
                else
                    Answer(fd);
            }
        }
    }

    public void Dispose()
    {
        _epoll.Dispose();
        NativeMemory.Free(_buffer);
        NativeMemory.Free(_reply);
    }

    private void AcceptAll(int listener)
    {
        int fd;
        while ((fd = Libc.Accept(listener, null, null, Libc.NonBlocking | Libc.CloseOnExec)) >= 0)
        {
            if (fd >= _received.Length)
                Array.Resize(ref _received, fd * 2);
            _received[fd] = 0;
            _epoll.Watch(fd, fd, Epoll.Readable);
        }
    }

    private void Answer(int fd)
    {
        nint count = Libc.Receive(fd, _buffer, BufferSize, 0);
        if (count < 0 && Marshal.GetLastPInvokeError() == Libc.ErrorAgain)
            return;
        int received = _received[fd] + (int)count;
        bool open = count > 0;
        for (; open && received >= requestSize; received -= requestSize)
            open = Libc.Send(fd, _reply, replySize, Libc.MessageNoSignal) == replySize;
        _received[fd] = received;
        if (!open)
            Libc.Close(fd);
    }
}

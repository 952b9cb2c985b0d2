using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ProxyShell.Engine.Transport.Linux;

/// <summary>Sending, at once or by way of the loop's outbox.</summary>
internal sealed unsafe partial class LinuxDatagramSocket
{
    public override bool Send(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body) => Send(null, head, body);

    public override bool SendTo(in DatagramPeer to, ReadOnlySpan<byte> head, ReadOnlySpan<byte> body) => Send(to, head, body);

    /// <summary>Writes the address to send to, and that to send from if the peer used a certain one.</summary>
    public void Address(ref Message message, in DatagramPeer to)
    {
        message.NameLength = NativeAddress.Write(message.Name, _family, to);
        message.ControlLength = to.Local == UInt128.Zero ? 0 : ControlMessage.WriteLocal(message.Control, _family, to.Local);
    }

    /// <summary>The descriptor, for whoever sends on the loop's thread.</summary>
    public SocketDescriptor Descriptor => _socket;

    public bool IsClosed => _closed;

    /// <summary>Whether datagrams in a row may leave as one message; ends when the system says that it cannot.</summary>
    public bool JoinsDatagrams { get; set; } = true;

    /// <summary>Sends them all; those that the system does not take are lost.</summary>
    public void SendAll(MultiMessage* messages, int count, DatagramTrain train)
    {
        try
        {
            if (count > 1 && JoinsDatagrams) train.Send(this, messages, count);
            else SendEach(messages, count);
        }
        catch (ObjectDisposedException)
        {
            // closed by another thread
        }
    }

    /// <summary>Sends each as it is.</summary>
    public void SendEach(MultiMessage* messages, int count)
    {
        for (int sent = 0; sent < count && !_closed;)
        {
            int result = Libc.SendMessages(_socket, messages + sent, (uint)(count - sent), Libc.MSG_NOSIGNAL);
            if (result > 0) sent += result;
            else if (SkipsOne(Libc.LastError)) sent++;
        }
    }

    /// <summary>Tells of an error; what comes back for a connected socket's earlier datagrams is told when it sends the next.</summary>
    public void NoteSendError(int errno)
    {
        if (_isConnected && errno is not (Libc.EAGAIN or Libc.ENOBUFS or Libc.EMSGSIZE)) _receiver?.OnError(this, Errno.ToSocketError(errno));
    }

    private bool Send(DatagramPeer? to, ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        if (_closed || head.Length + body.Length > MaxPayload) return false;
        if (!_loop.IsCurrent) return SendNow(to, head, body);
        DatagramBuffers buffers = _loop.Datagrams;
        // what the slots hold does not move
        var start = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(body));
        if (!buffers.Holds(start) || !DatagramOutbox.Fits(head))
        {
            buffers.Outbox.FlushOf(this);
            return SendNow(to, head, body);
        }
        buffers.Outbox.Add(this, to, head, start, body.Length);
        return true;
    }

    private bool SendNow(DatagramPeer? to, ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        byte* name = stackalloc byte[NativeAddress.MaxLength];
        byte* control = stackalloc byte[ControlMessage.MaxLength];
        MemoryPart* parts = stackalloc MemoryPart[2];
        var message = new Message { Name = name, Control = control, Parts = parts, PartCount = 2 };
        if (to is { } peer) Address(ref message, peer);
        fixed (byte* headStart = head, bodyStart = body)
        {
            parts[0] = new MemoryPart { Start = headStart, Length = head.Length };
            parts[1] = new MemoryPart { Start = bodyStart, Length = body.Length };
            try
            {
                nint sent;
                while ((sent = Libc.SendMessage(_socket, &message, Libc.MSG_NOSIGNAL)) < 0 && !SkipsOne(Libc.LastError))
                {
                }
                return sent >= 0;
            }
            catch (ObjectDisposedException)
            {
                return false;
            }
        }
    }

    // true: the datagram is lost
    private bool SkipsOne(int errno)
    {
        if (errno == Libc.EINTR) return false;
        NoteSendError(errno);
        return true;
    }
}

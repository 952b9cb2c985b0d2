namespace ProxyShell.Engine.Transport.Linux;

/// <summary>The system calls that move bytes, made without waiting.</summary>
internal sealed partial class LinuxConnection
{
    private const int MostParts = 64;

    // an abort may close the descriptor between the look at it and the system call
    private int Receive(Span<byte> buffer)
    {
        uint seen = Volatile.Read(ref _readEpoch);
        if (IsDrainedAt(seen)) return -1;
        try
        {
            int count = TryReceive(buffer);
            if (!buffer.IsEmpty) NoteRead(seen, wasShort: count < buffer.Length && count != 0);
            return count;
        }
        catch (ObjectDisposedException)
        {
            throw Aborted();
        }
    }

    private int Send(ReadOnlySpan<byte> buffer)
    {
        try
        {
            return TrySend(buffer);
        }
        catch (ObjectDisposedException)
        {
            throw Aborted();
        }
    }

    // A read that got less than it could take has emptied the socket: until the loop tells of more, the next one need not be tried. Not when an end, an
    // error or urgent data is near, of which the loop tells once. Readers in the pool try nevertheless, since the loop may be late to tell them.
    private void NoteRead(uint seen, bool wasShort)
    {
        _hasDrained = wasShort && ContinuesOnLoop && !_isUnix && (_seenEvents & (ReadEvents & ~Libc.EPOLLIN | Libc.EPOLLPRI)) == 0;
        _drainedEpoch = seen;
    }

    /// <summary>The connection was just made: there is nothing to read before the loop tells so.</summary>
    internal void NoteSilence() => NoteRead(_readEpoch, wasShort: true);

    private bool IsDrainedAt(uint epoch) => _hasDrained && _drainedEpoch == epoch;

    /// <summary>Sends what can be sent at once of these parts of one array; returns how many bytes that were, 0 as well when the connection is broken.</summary>
    internal int SendAtOnce(ReadOnlySpan<ArraySegment<byte>> parts)
    {
        int sent = 0;
        try
        {
            while (!parts.IsEmpty)
            {
                ReadOnlySpan<ArraySegment<byte>> some = parts[..Math.Min(parts.Length, MostParts)];
                int count = TrySend(some, out bool isWhole);
                sent += count;
                if (!isWhole) break;
                parts = parts[some.Length..];
            }
        }
        catch (ObjectDisposedException)
        {
            // aborted meanwhile, which the next write tells
        }
        return sent;
    }

    private unsafe int TrySend(ReadOnlySpan<ArraySegment<byte>> parts, out bool isWhole)
    {
        MemoryPart* vector = stackalloc MemoryPart[parts.Length];
        nint length = 0;
        fixed (byte* start = parts[0].Array)
        {
            for (int i = 0; i < parts.Length; i++)
            {
                vector[i] = new MemoryPart { Start = start + parts[i].Offset, Length = parts[i].Count };
                length += parts[i].Count;
            }
            var message = new Message { Parts = vector, PartCount = parts.Length };
            nint count = _closed ? 0 : Math.Max(0, Libc.SendMessage(_socket, &message, Libc.MSG_NOSIGNAL));
            isWhole = count == length;
            return (int)count;
        }
    }

    // -1 means that it would block
    private unsafe int TryReceive(Span<byte> buffer)
    {
        ThrowIfClosed();
        byte peeked;
        fixed (byte* start = buffer)
        {
            while (true)
            {
                nint count = buffer.IsEmpty ? Libc.Receive(_socket, &peeked, 1, Libc.MSG_PEEK) : Libc.Receive(_socket, start, buffer.Length, 0);
                if (count >= 0) return buffer.IsEmpty ? 0 : (int)count;
                int errno = Libc.LastError;
                if (errno == Libc.EAGAIN) return -1;
                if (errno != Libc.EINTR) throw SocketErrors.Relay(Errno.Exception(errno));
            }
        }
    }

    // how many bytes went out; fewer than asked means that more would block
    private unsafe int TrySend(ReadOnlySpan<byte> buffer)
    {
        ThrowIfClosed();
        int sent = 0;
        fixed (byte* start = buffer)
        {
            while (sent < buffer.Length)
            {
                nint count = Libc.Send(_socket, start + sent, buffer.Length - sent, Libc.MSG_NOSIGNAL);
                if (count >= 0) sent += (int)count;
                else if (Libc.LastError is var errno && errno == Libc.EAGAIN) break;
                else if (errno != Libc.EINTR) throw SocketErrors.Relay(Errno.Exception(errno));
            }
        }
        return sent;
    }
}

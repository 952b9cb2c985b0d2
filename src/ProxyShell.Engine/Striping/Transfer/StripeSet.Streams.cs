using System.Buffers;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Striping;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>What readers and writers of streams ask for.</summary>
internal sealed partial class StripeSet
{
    public ValueTask Write(StripedStream stream, ReadOnlyMemory<byte> bytes)
    {
        using Section section = Enter();
        if (stream.Failure is { } failure) return ValueTask.FromException(failure);
        if (stream.IsEndWanted) throw new InvalidOperationException("This direction was ended.");
        if (bytes.IsEmpty) return ValueTask.CompletedTask;
        stream.Writing.Begin(bytes);
        Enqueue(stream, bytes.Length <= SmallWrite);
        return stream.Writing.AsTask();
    }

    public void End(StripedStream stream)
    {
        using Section section = Enter();
        if (stream.IsBroken || stream.IsEndWanted) return;
        stream.IsEndWanted = true;
        Enqueue(stream, isSmall: true);
    }

    public ValueTask<int> Read(StripedStream stream, Memory<byte> buffer)
    {
        using Section section = Enter();
        if (stream.Incoming.Ready > 0 || stream.Incoming.IsComplete) return new ValueTask<int>(Deliver(stream, buffer));
        if (stream.Failure is { } failure) return ValueTask.FromException<int>(failure);
        stream.Reading.Begin(buffer);
        return stream.Reading.AsTask();
    }

    public void Break(StripedStream stream, ProxyException why)
    {
        using Section section = Enter();
        if (stream.IsBroken || stream.IsOver) return;
        TellReset(stream, why);
        stream.Incoming.Clear();
        Fail(stream, why);
    }

    public void Close(StripedStream stream)
    {
        using Section section = Enter();
        if (stream.IsBroken || stream.IsOver) return;
        if (stream.IsEndWanted)
        {
            stream.IsDiscarding = true;
            Discard(stream);
            return;
        }
        var why = new ProxyException(ProxyErrorReason.ConnectionReset, ProxyStage.Relay, null, "the stream was closed");
        TellReset(stream, why);
        stream.Incoming.Clear();
        Fail(stream, why);
    }

    public void TellWhenBroken(StripedStream stream, IBreakListener listener)
    {
        using Section section = Enter();
        stream.Listener = listener;
        if (stream.IsBroken) _due.Add(new StreamBreak(stream));
    }

    public void Withdraw(StripedStream stream, Exception error, bool ofWrite)
    {
        using Section section = Enter();
        if (ofWrite)
        {
            if (stream.Writing.Fail(error)) _due.Add(stream.Writing);
        }
        else if (stream.Reading.IsWaiting)
        {
            stream.Reading.End(error);
            _due.Add(stream.Reading);
        }
    }

    private void Fail(StripedStream stream, ProxyException why)
    {
        stream.Failure ??= why;
        if (stream.Listener is not null) _due.Add(new StreamBreak(stream));
        if (stream.Writing.IsUnderWay && stream.Writing.Fail(why)) _due.Add(stream.Writing);
        if (stream.Reading.IsWaiting)
        {
            stream.Reading.End(why);
            _due.Add(stream.Reading);
        }
        Retire(stream);
    }

    // what comes for a reader that waits, or for one that asks
    private int Deliver(StripedStream stream, Memory<byte> buffer)
    {
        int count = stream.Incoming.Take(buffer.Span);
        if (count > 0) GrowLimit(stream, force: false);
        Retire(stream);
        return count;
    }

    private void WakeReader(StripedStream stream)
    {
        if (stream.IsDiscarding) Discard(stream);
        if (!stream.Reading.IsWaiting || (stream.Incoming.Ready == 0 && !stream.Incoming.IsComplete)) return;
        stream.Reading.End(Deliver(stream, stream.Reading.Target));
        _due.Add(stream.Reading);
    }

    private void Discard(StripedStream stream)
    {
        byte[] bin = ArrayPool<byte>.Shared.Rent(StripeFrameCodec.MaxData);
        while (stream.Incoming.Ready > 0) Deliver(stream, bin);
        ArrayPool<byte>.Shared.Return(bin);
        Retire(stream);
    }

    // told when a quarter of the window was taken
    private void GrowLimit(StripedStream stream, bool force)
    {
        long limit = stream.Incoming.Taken + stream.Window;
        if (stream.IsBroken || stream.Incoming.IsComplete || (!force && limit - stream.Limit < stream.Window / 4) || limit <= stream.Limit) return;
        stream.Limit = limit;
        if (stream.IsWindowDue) return;
        stream.IsWindowDue = true;
        _windowsDue.Enqueue(stream);
        _hasChanged = true;
    }

    private void Enqueue(StripedStream stream, bool isSmall)
    {
        NoteBlocked(stream);
        if (stream.IsQueued || !stream.HasTurn) return;
        stream.IsQueued = true;
        (isSmall ? _small : _large).Enqueue(stream);
        _hasChanged = true;
    }

    private void NoteBlocked(StripedStream stream)
    {
        if (stream.Writing.Length > 0 && stream.SentOffset >= stream.SendLimit) TellBlocked(stream);
    }

    private void TellBlocked(StripedStream stream)
    {
        if (stream.BlockedAt >= stream.SendLimit) return;
        stream.BlockedAt = stream.SendLimit;
        Control(stream, new StripeFrame(StripeFrameKind.Blocked) { Id = stream.Id, Value = stream.SendLimit });
    }

    private void TellOpening(StripedStream stream)
    {
        Span<byte> address = stackalloc byte[OpenAddress.MaxLength];
        int length = OpenAddress.Write(address, stream.Opening!.Client);
        Control(stream, new StripeFrame(StripeFrameKind.Open) { Id = stream.Id, Value = (long)stream.Opening.Kind, Words = address[..length] });
    }

    private void TellReset(StripedStream stream, ProxyException why) =>
        Control(stream, new StripeFrame(StripeFrameKind.Reset) { Id = stream.Id, Reason = why.Reason, Words = StripeWords.Of(why) }, outlivesStream: true);

    private void Control(StripedStream stream, in StripeFrame frame, bool outlivesStream = false)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(StripeFrameCodec.MaxLength);
        var made = new OutFrame(stream, buffer) { Length = StripeFrameCodec.Write(buffer, frame), DiesWithStream = !outlivesStream };
        made.Retain();
        _control.Enqueue(made);
        _hasChanged = true;
    }
}

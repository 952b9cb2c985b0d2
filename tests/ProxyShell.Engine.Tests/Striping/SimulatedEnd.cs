#pragma warning disable CA2012 // looked at between the steps of a simulation, and taken once
using ProxyShell.Engine.Striping.Transfer;

namespace ProxyShell.Engine.Tests.Striping;

/// <summary>One end of a simulated stripe: its writer and its reader, a step at a time.</summary>
internal sealed class SimulatedEnd(StripeSet set, Stripe stripe)
{
    private readonly StripeParser _parser = new(set, stripe);
    private ValueTask? _waiting;

    public bool IsRemoved { get; private set; }

    public Stripe Stripe => stripe;

    /// <summary>What the writer has to write now; empty when it waits.</summary>
    public byte[] Write()
    {
        if (IsRemoved) return [];
        if (_waiting is { } waiting)
        {
            if (!waiting.IsCompleted) return [];
            waiting.GetAwaiter().GetResult();
            _waiting = null;
        }
        byte[] bytes = set.Take(stripe).ToArray();
        if (bytes.Length == 0) _waiting = stripe.WaitAsync();
        return bytes;
    }

    /// <summary>Reads as many of the bytes as fit; returns how many.</summary>
    public int Read(ReadOnlySpan<byte> bytes)
    {
        if (IsRemoved) return bytes.Length;
        Memory<byte> room = _parser.Room;
        int count = Math.Min(room.Length, bytes.Length);
        bytes[..count].CopyTo(room.Span);
        set.Receive(stripe, _parser, count);
        if (_parser.IsEmpty) _parser.Rest();
        return count;
    }

    public void Remove()
    {
        if (IsRemoved) return;
        IsRemoved = true;
        set.RemoveStripe(stripe);
        _parser.Close();
    }
}

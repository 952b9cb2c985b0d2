#pragma warning disable CA2012 // looked at between the steps of a simulation, and taken once
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Striping.Transfer;

namespace ProxyShell.Engine.Tests.Striping;

/// <summary>One direction of a simulated stream: bytes that tell by themselves where they belong.</summary>
internal sealed class SimulatedTraffic(long tag, int length)
{
    private readonly byte[] _inbox = new byte[100_000];
    private ValueTask? _write;
    private ValueTask<int>? _read;
    private int _written;
    private int _taken;
    private bool _hasEnded;

    /// <summary>Whether all has come, and the end.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Whether an application was told that it is broken off.</summary>
    public bool IsBroken { get; set; }

    public void Write(StripedStream stream, Random dice)
    {
        if (_hasEnded || IsBroken) return;
        try
        {
            if (_write is { } pending)
            {
                if (!pending.IsCompleted) return;
                _write = null;
                pending.GetAwaiter().GetResult();
            }
            int count = Math.Min(length - _written, dice.Next(3) == 0 ? dice.Next(1, 200) : dice.Next(1, 150_000));
            if (count == 0)
            {
                _hasEnded = true;
                Assert.True(stream.CompleteWritesAsync(CancellationToken.None).IsCompletedSuccessfully);
                return;
            }
            _write = stream.WriteAsync(Enumerable.Range(_written, count).Select(ByteAt).ToArray(), CancellationToken.None);
            _written += count;
        }
        catch (ProxyException)
        {
            IsBroken = true;
        }
    }

    public void Read(StripedStream stream, Random dice)
    {
        if (IsOver || IsBroken) return;
        try
        {
            _read ??= stream.ReadAsync(_inbox.AsMemory(0, dice.Next(1, _inbox.Length)), CancellationToken.None);
            if (!_read.Value.IsCompleted) return;
            ValueTask<int> read = _read.Value;
            _read = null;
            Check(read.GetAwaiter().GetResult());
        }
        catch (ProxyException)
        {
            IsBroken = true;
        }
    }

    public override string ToString() => $"{_written} of {length} written{(_hasEnded ? " and ended" : "")}, {_taken} read{(IsBroken ? ", broken" : "")}";

    private void Check(int count)
    {
        for (int i = 0; i < count; i++) Assert.True(_inbox[i] == ByteAt(_taken + i), $"stream {tag}: byte {_taken + i} is wrong");
        _taken += count;
        Assert.True(_taken <= length, $"stream {tag}: {_taken} bytes of {length}");
        if (count > 0) return;
        Assert.True(_taken == length, $"stream {tag}: ended after {_taken} of {length} bytes");
        IsOver = true;
    }

    private byte ByteAt(int offset) => (byte)((((uint)offset * 2654435761) ^ (ulong)tag) >> 13);
}

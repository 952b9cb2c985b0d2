using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>A pipe as its near end keeps it: when it fails, the next one has another name and nothing in common with it.</summary>
internal sealed class PipeInstance(StripeSetOptions options)
{
    private uint _lastNumber;
    private int _isEndNoted;

    /// <summary>128 random bits, which only the two ends know.</summary>
    public UInt128 Id { get; } = BinaryPrimitives.ReadUInt128BigEndian(RandomNumberGenerator.GetBytes(16));

    public StripeSet Set { get; } = new(options, isNear: true);

    /// <summary>Whether the far end knows it.</summary>
    public bool HasBegun { get; set; }

    public bool IsOver => Set.Completion.IsCompleted;

    /// <summary>Whether nobody has said yet that the far end ended it.</summary>
    public bool TryNoteEnd() => Interlocked.Exchange(ref _isEndNoted, 1) == 0;

    public uint NextNumber() => Interlocked.Increment(ref _lastNumber);

    /// <summary>What it is called in messages: the whole name is nobody's business.</summary>
    public override string ToString() => NameOf(Id);

    public static string NameOf(UInt128 id) => $"pipe {(uint)(id >> 96):x8}";
}

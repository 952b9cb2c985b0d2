namespace ProxyShell.Engine.Security;

/// <summary>
/// Which numbers have come already, out of those near the highest (the sliding window of RFC 6479): datagrams may arrive in another
/// order, but none twice.
/// </summary>
internal sealed class DatagramWindow
{
    /// <summary>How far behind the highest number one may come.</summary>
    public const int Size = BitCount - 64;

    private const int BitCount = 2048;

    private readonly ulong[] _bits = new ulong[BitCount / 64];
    private ulong _highest;
    private bool _any;

    /// <summary>Whether the number is new and not too old.</summary>
    public bool IsNew(ulong number)
    {
        if (!_any || number > _highest) return true;
        if (_highest - number >= Size) return false;
        return (_bits[Word(number)] & Bit(number)) == 0;
    }

    /// <summary>The number has come; it must be a new one.</summary>
    public void Add(ulong number)
    {
        if (!_any || number > _highest)
        {
            // the words between belong to numbers that have not come yet
            ulong first = _any ? (_highest / 64) + 1 : 0, last = number / 64;
            if (last - first >= (ulong)_bits.Length && last >= first) Array.Clear(_bits);
            else for (ulong word = first; word <= last; word++) _bits[word % (ulong)_bits.Length] = 0;
            (_highest, _any) = (number, true);
        }
        _bits[Word(number)] |= Bit(number);
    }

    private static int Word(ulong number) => (int)(number / 64 % (BitCount / 64));

    private static ulong Bit(ulong number) => 1UL << (int)(number % 64);
}

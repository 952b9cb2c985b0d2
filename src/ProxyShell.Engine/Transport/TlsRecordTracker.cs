using System.Buffers.Binary;

namespace ProxyShell.Engine.Transport;

/// <summary>Knows where TLS records begin in a stream of which it sees every byte. Each has a head of five bytes, whose last two are its length (RFC 8446 §5.1).</summary>
internal struct TlsRecordTracker
{
    private const int HeadLength = 5;
    private const int LengthOffset = 3;

    // shorter ones may be no data but messages of the handshake, behind which a reader may have to wait
    private const int Large = 4 * 1024;

    private int _left;
    private int _headSeen;
    private int _highByte;

    /// <summary>Whether a whole record begins right here that can only be data.</summary>
    public readonly bool IsLargeRecord(ReadOnlySpan<byte> coming) =>
        _left == 0 && _headSeen == 0 && coming.Length >= HeadLength && LengthOf(coming) is >= Large and var length && coming.Length >= HeadLength + length;

    /// <summary>So much of what comes as ends with a record and is at most so long; where no record ends, as much as there is.</summary>
    public readonly int WholeRecords(ReadOnlySpan<byte> coming, int most)
    {
        most = Math.Min(most, coming.Length);
        if (_headSeen > 0) return most;
        int whole = 0, end = _left;
        while (end <= most)
        {
            whole = end;
            if (end + HeadLength > coming.Length) break;
            end += HeadLength + LengthOf(coming[end..]);
        }
        return whole > 0 ? whole : most;
    }

    /// <summary>Takes note of the bytes that come next.</summary>
    public void Pass(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_left > 0)
            {
                int count = Math.Min(_left, bytes.Length);
                _left -= count;
                bytes = bytes[count..];
                continue;
            }
            if (_headSeen == LengthOffset) _highByte = bytes[0];
            else if (_headSeen == HeadLength - 1) _left = (_highByte << 8) | bytes[0];
            _headSeen = (_headSeen + 1) % HeadLength;
            bytes = bytes[1..];
        }
    }

    private static int LengthOf(ReadOnlySpan<byte> head) => BinaryPrimitives.ReadUInt16BigEndian(head[LengthOffset..]);
}

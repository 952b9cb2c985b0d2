namespace ProxyShell.Engine.Protocols.Http;

/// <summary>
/// Follows a chunked body (RFC 9112 §7.1) to its end without changing it: <c>size [;extensions] CR LF data CR LF</c> …
/// <c>0 [;extensions] CR LF [trailer lines] CR LF</c>. Every byte outside the data is checked, since a size or a line end that two
/// parsers take differently is where smuggling begins.
/// </summary>
internal sealed class HttpChunkScanner
{
    /// <summary>The most bytes that the extensions of one chunk may have.</summary>
    public const int MaxExtensions = 4096;

    /// <summary>The most bytes that the trailer section may have.</summary>
    public const int MaxTrailers = 64 * 1024;

    // 15 hexadecimal digits fit a long
    private const int MaxDigits = 15;

    private State _state;
    private long _size;
    private int _digits;
    private int _lineLength;
    private int _trailerLength;

    private enum State : byte
    {
        Size,
        Extensions,
        SizeLineFeed,
        Data,
        DataReturn,
        DataLineFeed,
        TrailerStart,
        TrailerName,
        TrailerValue,
        TrailerLineFeed,
        LastLineFeed,
        Done,
        Failed,
    }

    /// <summary>What is wrong, once the scan has said Invalid.</summary>
    public string Fault { get; private set; } = "";

    /// <summary>
    /// Goes on with the next bytes, up to the end of the body or of a run of chunk data, whichever comes first: <paramref name="taken"/> is
    /// how many of them belong to the body, and the last <paramref name="data"/> of those are chunk data. Complete when the body has ended.
    /// </summary>
    public HeaderStatus Scan(ReadOnlySpan<byte> bytes, out int taken, out int data)
    {
        (taken, data) = (0, 0);
        while (taken < bytes.Length && _state < State.Done)
        {
            if (_state == State.Data)
            {
                data = (int)Math.Min(_size, bytes.Length - taken);
                taken += data;
                _size -= data;
                if (_size == 0) _state = State.DataReturn;
                return HeaderStatus.Incomplete;
            }
            _state = Next(bytes[taken]);
            if (_state != State.Failed) taken++;
        }
        return _state switch { State.Done => HeaderStatus.Complete, State.Failed => HeaderStatus.Invalid, _ => HeaderStatus.Incomplete };
    }

    private State Next(byte b) => _state switch
    {
        State.Size => OnSize(b),
        State.Extensions => OnExtension(b),
        State.SizeLineFeed when b == '\n' => AfterSize(),
        State.DataReturn => b == '\r' ? State.DataLineFeed : Fail("chunk data is longer than its size says"),
        State.DataLineFeed when b == '\n' => Begin(State.Size),
        State.TrailerStart => b == '\r' ? State.LastLineFeed : OnTrailer(b),
        State.TrailerName or State.TrailerValue => OnTrailer(b),
        State.TrailerLineFeed when b == '\n' => Begin(State.TrailerStart),
        State.LastLineFeed when b == '\n' => State.Done,
        _ => Fail("a line of a chunked body ends with CR alone"),
    };

    private State OnSize(byte b)
    {
        int digit = HttpChars.HexDigit(b);
        if (digit >= 0)
        {
            if (++_digits > MaxDigits) return Fail("a chunk size is too large");
            _size = (_size << 4) | (uint)digit;
            return State.Size;
        }
        if (_digits == 0) return Fail("a chunk size is missing or not hexadecimal");
        return b switch
        {
            (byte)'\r' => State.SizeLineFeed,
            (byte)';' => State.Extensions,
            _ => Fail("a chunk size is not hexadecimal"),
        };
    }

    private State OnExtension(byte b)
    {
        if (b == '\r') return State.SizeLineFeed;
        if (!HttpChars.FieldValue.Contains(b)) return Fail("a chunk extension holds a control character");
        return ++_lineLength <= MaxExtensions ? State.Extensions : Fail($"the extensions of a chunk are over the limit of {MaxExtensions} bytes");
    }

    private State OnTrailer(byte b)
    {
        if (++_trailerLength > MaxTrailers) return Fail($"the trailers are over the limit of {MaxTrailers} bytes");
        if (_state == State.TrailerValue)
        {
            if (b == '\r') return State.TrailerLineFeed;
            return HttpChars.FieldValue.Contains(b) ? State.TrailerValue : Fail("a trailer holds a control character");
        }
        if (b == ':' && _state == State.TrailerName) return State.TrailerValue;
        return HttpChars.IsToken([b]) ? State.TrailerName : Fail("a trailer is not a field line");
    }

    private State AfterSize() => _size == 0 ? State.TrailerStart : State.Data;

    private State Begin(State state)
    {
        (_size, _digits, _lineLength) = (0, 0, 0);
        return state;
    }

    private State Fail(string fault)
    {
        Fault = fault;
        return State.Failed;
    }
}

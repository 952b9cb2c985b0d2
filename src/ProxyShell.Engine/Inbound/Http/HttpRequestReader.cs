using System.Globalization;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Http;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound.Http;

/// <summary>
/// Reads the heads of a client's requests. The first must be whole within the time for a request, counted from the accept; the next ones
/// may begin whenever they like (the idle limit ends the wait), and must then be whole within that time. What is none is refused in the
/// words of <paramref name="refuse"/>, which returns the error to throw.
/// </summary>
internal sealed class HttpRequestReader(ServiceContext context, ServedConnection served, HeaderReader reader, Func<HttpFault, Task<ProxyException>> refuse)
{
    private const string What = "a request head";

    private bool _isFirst = true;
    private bool _isTimed = true;

    /// <summary>As what requests are read.</summary>
    public HttpRole Role { get; init; }

    /// <summary>For how long a client may be silent between two requests before its connection is closed; by default the idle limit alone tells.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>Cancelled when no more requests are waited for.</summary>
    public CancellationToken Stopping { get; init; }

    /// <summary>The request read last; null when the client has ended instead of asking for more.</summary>
    public HttpRequestHead? Last { get; private set; }

    /// <summary>Reads the next one; null when the client has ended, or broken off, instead. What is no request is refused.</summary>
    public async ValueTask<HttpRequestHead?> ReadAsync()
    {
        int scanned = 0, length;
        Last = null;
        for (HeaderStatus status; (status = Measure(ref scanned, out length)) != HeaderStatus.Complete;)
        {
            if (status == HeaderStatus.Invalid) throw await refuse(HttpFault.Bad("a line of the request head does not end with CR LF")).ConfigureAwait(false);
            if (reader.IsFull) throw await refuse(TooLong()).ConfigureAwait(false);
            if (!await ReadMoreAsync().ConfigureAwait(false)) return null;
        }
        Last = HttpRequestHead.Read(reader.Bytes[..length], out HttpFault? fault, Role);
        if (Last is null) throw await refuse(fault!).ConfigureAwait(false);
        reader.Consume(length);
        if (_isTimed && !_isFirst) served.Clock.Allow(Timeout.InfiniteTimeSpan);
        (_isFirst, _isTimed) = (false, false);
        return Last;
    }

    private HeaderStatus Measure(ref int scanned, out int length)
    {
        if (scanned == 0) reader.Consume(HttpHead.EmptyLines(reader.Bytes));
        return HttpHead.Measure(reader.Bytes, ref scanned, out length);
    }

    private async ValueTask<bool> ReadMoreAsync()
    {
        if (reader.Bytes.IsEmpty && !_isFirst) return await WaitForRequestAsync().ConfigureAwait(false);
        if (!_isTimed) served.Clock.Allow(context.Options.HandshakeTimeout);
        _isTimed = true;
        try
        {
            await ServiceContext.ReadMoreAsync(served, reader, What).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (!_isFirst && served.Record.AbortReason == ProxyErrorReason.None)
        {
            throw ServiceContext.Refused(served, ProxyErrorReason.TimedOut, string.Create(
                CultureInfo.InvariantCulture, $"sent no complete request within {context.Options.HandshakeTimeout.TotalSeconds:0.###} s"));
        }
    }

    // between two requests a client may leave as it likes
    private async ValueTask<bool> WaitForRequestAsync()
    {
        reader.Rest();
        if (KeepAliveTimeout != Timeout.InfiniteTimeSpan) served.Clock.Allow(KeepAliveTimeout);
        using CancellationTokenRegistration hurry = Stopping.UnsafeRegister(static clock => ((SetUpClock)clock!).Allow(TimeSpan.Zero), served.Clock);
        try
        {
            if (!await reader.ReadMoreAsync(served.Clock.Token).ConfigureAwait(false)) return false;
            if (KeepAliveTimeout != Timeout.InfiniteTimeSpan) served.Clock.Allow(Timeout.InfiniteTimeSpan);
            return true;
        }
        catch (Exception e) when (e is ProxyException or OperationCanceledException && served.Record.AbortReason == ProxyErrorReason.None)
        {
            return false;
        }
    }

    private HttpFault TooLong() => reader.Bytes.Contains((byte)'\n')
        ? new HttpFault(431, $"the request head is over the limit of {HttpHead.MaxLength} bytes")
        : new HttpFault(414, $"the request target is over the limit of {HttpHead.MaxLength} bytes");
}

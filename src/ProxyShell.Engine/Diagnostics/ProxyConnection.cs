using System.Net;

namespace ProxyShell.Engine.Diagnostics;

/// <summary>One connection through a service: live while it runs, final afterwards.</summary>
public sealed class ProxyConnection : Traffic
{
    private readonly ServiceIdentity _service;
    private readonly long _startedTimestamp;
    private IAbortable? _clientSide;
    private IAbortable? _upstreamSide;
    private CancellationTokenSource? _setUp;
    private CancellationTokenSource? _aborting;
    private ProxyErrorReason _abortReason;
    private long _durationTicks = -1;
    private float? _sampledRate;
    private long _activity;

    internal ProxyConnection(ServiceIdentity service, long id, EndPoint? client, IAbortable clientSide)
    {
        (_service, Id, ClientEndPoint, _clientSide) = (service, id, client, clientSide);
        _startedTimestamp = service.Time.GetTimestamp();
    }

    /// <summary>A number that is unique in the process.</summary>
    public long Id { get; }

    /// <summary>The name of the service, which is also the name of its job.</summary>
    public string Service => _service.Name;

    /// <summary>The kind of service, <c>ProxyServer</c> or <c>AccessListener</c>.</summary>
    public string ServiceKind => _service.Kind;

    /// <summary>The protocol the client spoke: <c>relay</c>, <c>socks5</c>, <c>socks4</c> (each with <c>-bind</c> for BIND), <c>socks5-udp</c>, <c>http</c>, <c>tcp</c>, <c>udp</c>, or empty while it is not known.</summary>
    public string Protocol { get; internal set; } = "";

    /// <summary>Who connected, as address and port.</summary>
    public string Client => ClientEndPoint is null or System.Net.Sockets.UnixDomainSocketEndPoint ? "unix" : ClientEndPoint.ToString() ?? "";

    /// <summary>The address of the client, which a PROXY header may tell; null for a Unix socket.</summary>
    internal EndPoint? ClientEndPoint { get; set; }

    /// <summary>Where it goes: host and port, or empty while it is not known.</summary>
    public string Destination { get; internal set; } = "";

    /// <summary>The chain it goes through, or <c>direct</c>.</summary>
    public string Chain { get; internal set; } = "direct";

    /// <summary>Where it is in its life.</summary>
    public ConnectionState State { get; internal set; }

    /// <summary>When it was accepted.</summary>
    public DateTimeOffset Started => _service.StartedAt(_startedTimestamp);

    /// <summary>How long it has lived, or lived.</summary>
    public TimeSpan Duration =>
        _durationTicks >= 0 ? TimeSpan.FromTicks(_durationTicks) : _service.Time.GetElapsedTime(_startedTimestamp);

    /// <summary>Bytes per second in both directions together, over the last two seconds (or since the start, if later); 0 once it has ended.</summary>
    public double BytesPerSecond => IsEnded ? 0 : _sampledRate ?? ((BytesSent + BytesReceived) / Math.Max(Duration.TotalSeconds, 0.001));

    /// <summary>What went wrong, or null.</summary>
    public ProxyException? LastError { get; internal set; }

    /// <summary>True once it has ended.</summary>
    public bool IsEnded => State is ConnectionState.Closed or ConnectionState.Failed;

    /// <summary>Notes the rate of the last interval.</summary>
    internal void SampleRate(double bytesPerSecond) => _sampledRate = (float)bytesPerSecond;

    /// <summary>An idle limit of its own instead of the service's; null for none.</summary>
    internal TimeSpan? IdleLimit { get; set; }

    /// <summary>A number that grows with everything that shows that the connection is in use.</summary>
    internal long Activity => BytesSent + BytesReceived + DatagramsSent + DatagramsReceived + Volatile.Read(ref _activity);

    /// <summary>The connection is in use, though nothing passes over itself: what it holds open does something.</summary>
    internal void NoteActivity() => Volatile.Write(ref _activity, _activity + 1);

    // the sweeper's own notes about this connection
    internal long SeenBytes { get; set; }

    internal long SeenActivity { get; set; }

    internal long SeenTimestamp { get; set; }

    /// <summary>Ends the connection at once, on both sides.</summary>
    public void Abort() => Abort(ProxyErrorReason.Aborted);

    internal void Abort(ProxyErrorReason reason)
    {
        IAbortable? client, upstream;
        lock (_service)
        {
            if (IsEnded || _abortReason != ProxyErrorReason.None) return;
            _abortReason = reason;
            (client, upstream) = (_clientSide, _upstreamSide);
            EndSetUp();
            _aborting?.CancelAfter(TimeSpan.Zero);
        }
        upstream?.Abort();
        client?.Abort();
    }

    /// <summary>Why somebody aborted it, or None.</summary>
    internal ProxyErrorReason AbortReason => _abortReason;

    /// <inheritdoc />
    internal override CancellationToken Aborting
    {
        get
        {
            lock (_service)
            {
                // few ask, so it is made for those who do
                _aborting ??= new CancellationTokenSource();
                if (_abortReason != ProxyErrorReason.None) _aborting.CancelAfter(TimeSpan.Zero);
                return _aborting.Token;
            }
        }
    }

    /// <summary>Names the source that ends set-up when the connection is aborted; null when set-up is over.</summary>
    internal void SetUpWith(CancellationTokenSource? source)
    {
        lock (_service)
        {
            _setUp = source;
            if (_abortReason != ProxyErrorReason.None) EndSetUp();
        }
    }

    // through the timer: cancelling here would run strangers' continuations under the lock
    private void EndSetUp() => _setUp?.CancelAfter(TimeSpan.Zero);

    /// <summary>Adds the outgoing side, so that an abort reaches it too.</summary>
    internal void AttachUpstream(IAbortable upstream)
    {
        lock (_service)
        {
            _upstreamSide = upstream;
            if (_abortReason == ProxyErrorReason.None) return;
        }
        upstream.Abort();
    }

    /// <summary>Lets go of the outgoing side, which others are going to use: an abort does not reach it any more. False when one has already.</summary>
    internal bool DetachUpstream()
    {
        lock (_service)
        {
            _upstreamSide = null;
            return _abortReason == ProxyErrorReason.None;
        }
    }

    /// <summary>Replaces the incoming side, for example after its TLS handshake.</summary>
    internal void ReplaceClient(IAbortable client)
    {
        lock (_service)
        {
            _clientSide = client;
            if (_abortReason == ProxyErrorReason.None) return;
        }
        client.Abort();
    }

    internal void End(ProxyException? error)
    {
        lock (_service)
        {
            (_clientSide, _upstreamSide, _setUp) = (null, null, null);
            _durationTicks = _service.Time.GetElapsedTime(_startedTimestamp).Ticks;
            LastError = error;
            State = error is null ? ConnectionState.Closed : ConnectionState.Failed;
        }
    }
}

using System.Net;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Multiplexing;
using ProxyShell.Engine.Transport;
using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Sessions;

/// <summary>
/// Many channels over one connection, in the protocol of Nerdbank.Streams' MultiplexingStream (docs/protocols/multiplexing.md). Each channel is a
/// <see cref="DuplexConnection"/> with a flow control of its own: a reader that stalls costs nobody else anything. All members may be used from
/// any thread.
/// </summary>
/// <example>
/// <code>
/// await using MultiplexedSession session = await MultiplexedSession.StartAsync(stream, new SessionOptions(), cancellationToken);
/// SessionChannel channel = await session.OfferAsync("web", cancellationToken);   // the peer: await session.AcceptAsync("web", …)
/// await channel.WriteAsync("hello"u8.ToArray(), cancellationToken);
/// await channel.CompleteWritesAsync(cancellationToken);
/// int count = await channel.ReadAsync(buffer, cancellationToken);
/// </code>
/// </example>
public sealed partial class MultiplexedSession : IAbortable, IAsyncDisposable
{
    private const int ReadLength = 512 * 1024;

    private static readonly TimeSpan FarewellTime = TimeSpan.FromSeconds(5);

    private readonly DuplexConnection _connection;
    private readonly SessionOptions _options;
    private readonly FrameCodec _codec;
    private readonly HeaderReader _reader;
    private readonly ChannelTable _channels;
    private readonly OfferBook _offers;
    private readonly WindowBudget _windows;
    private readonly RoundTrip _roundTrip;
    private readonly KeepAlive _keepAlive;
    private readonly long _startedAt;
    private readonly TaskCompletionSource<ProxyException?> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _receiving = Task.CompletedTask;
    private Task _sending = Task.CompletedTask;
    private ProxyException? _closing;
    private int _isOver;
    private long _bytesSent;
    private long _bytesReceived;
    private long _offered;
    private long _accepted;

    private MultiplexedSession(DuplexConnection connection, SessionOptions options, HeaderReader reader, bool? isOdd)
    {
        (_connection, _options, _reader) = (connection, options, reader);
        _codec = FrameCodec.Of(options.Version, isOdd == true);
        Outbox = new Outbox(connection, _codec);
        _channels = new ChannelTable(options.MaxChannels, isOdd, options.SeededChannels);
        _offers = new OfferBook(options.MaxPendingOffers);
        _windows = new WindowBudget(options.MaxWindows);
        _roundTrip = new RoundTrip(options.Time);
        _keepAlive = new KeepAlive(this, options);
        _startedAt = options.Time.GetTimestamp();
        (LocalEndPoint, RemoteEndPoint) = (connection.LocalEndPoint, connection.RemoteEndPoint);
        for (int number = 0; number < options.SeededChannels; number++) Seed(new ChannelId(number, ChannelSource.Seeded));
    }

    /// <summary>This side's address, or null when there is none.</summary>
    public EndPoint? LocalEndPoint { get; }

    /// <summary>The peer's address, or null when there is none.</summary>
    public EndPoint? RemoteEndPoint { get; }

    /// <summary>How many channels are open, offers that wait included.</summary>
    public int ChannelCount => _channels.Count;

    /// <summary>How many channels this side has offered so far.</summary>
    public long OfferedCount => Volatile.Read(ref _offered);

    /// <summary>How many of the peer's offers were accepted so far.</summary>
    public long AcceptedCount => Volatile.Read(ref _accepted);

    /// <summary>Bytes that channels have sent.</summary>
    public long BytesSent => Volatile.Read(ref _bytesSent);

    /// <summary>Bytes that channels have received.</summary>
    public long BytesReceived => Volatile.Read(ref _bytesReceived);

    /// <summary>What the receive windows of all channels come to now, in bytes: the most that can wait in memory for readers.</summary>
    public long Windows => _windows.Used;

    /// <summary>The shortest round trip of the last seconds; null as long as there was nothing to measure.</summary>
    public TimeSpan? RoundTrip => _roundTrip.Shortest;

    /// <summary>How long the session has lived.</summary>
    public TimeSpan Age => _options.Time.GetElapsedTime(_startedAt);

    /// <summary>Completes when the session is over: with null after an orderly close by either side, else with the reason. Never fails.</summary>
    public Task<ProxyException?> Completion => _completion.Task;

    /// <summary>How many channels were open when the session ended.</summary>
    internal int LostChannels { get; private set; }

    internal Outbox Outbox { get; }

    internal EpollLoop? Loop => _connection.Loop;

    /// <summary>Whether the peer has shown that it knows how windows grow.</summary>
    internal bool PeerGrows { get; private set; }

    /// <summary>
    /// Begins a session over a connection, which belongs to it from now on. Versions 1 and 2 exchange a handshake first; version 3 returns at once.
    /// </summary>
    /// <exception cref="ProxyException">The handshake failed; the connection is closed.</exception>
    public static async ValueTask<MultiplexedSession> StartAsync(DuplexConnection connection, SessionOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var reader = new HeaderReader(connection, ReadLength);
        bool? isOdd = options.Version == MultiplexingVersion.V3 ? null : await SessionBeginning.ShakeHandsAsync(connection, reader, options, cancellationToken).ConfigureAwait(false);
        var session = new MultiplexedSession(connection, options, reader, isOdd);
        session.Run();
        return session;
    }

    /// <summary>As the other one, over any stream that reads and writes at the same time. It belongs to the session.</summary>
    /// <exception cref="ProxyException">The handshake failed; the stream is closed.</exception>
    public static ValueTask<MultiplexedSession> StartAsync(Stream stream, SessionOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return StartAsync(new StreamConnection(stream), options, cancellationToken);
    }

    /// <summary>Ends the session at once: the connection is reset, and every channel fails.</summary>
    public void Abort() => End(SessionFault.Of(ProxyErrorReason.Aborted, "the session was aborted"));

    /// <summary>
    /// Closes the session: what channels have written is still sent, within five seconds. Channels that are open fail. To close them in order, dispose
    /// of them first, or wait for <see cref="DrainAsync"/>.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        ProxyException closed = SessionFault.Of(ProxyErrorReason.ConnectionClosed, "the session was closed");
        Interlocked.CompareExchange(ref _closing, closed, null);
        _offers.Close(closed);
        using var limit = new CancellationTokenSource(FarewellTime, _options.Time);
        try
        {
            if (Volatile.Read(ref _isOver) == 0) await SayFarewellAsync(limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ProxyException or OperationCanceledException)
        {
            // the peer does not listen: it sees the connection break off instead
            _connection.Abort();
            End(closed, isOrderly: true);
        }
        await _receiving.ConfigureAwait(false);
    }

    internal void CountSent(int bytes) => Interlocked.Add(ref _bytesSent, bytes);

    private void Run()
    {
        // neither loop blocks, and neither calls back into code that may
        if (Loop is { } loop) _connection.ContinueOn(loop);
        _connection.ExpectBulk();
        _sending = SendAsync();
        _receiving = ReceiveAsync();
        _keepAlive.Start();
    }

    private async Task SendAsync()
    {
        try
        {
            await Outbox.RunAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            End(e as ProxyException ?? SessionFault.Of(ProxyErrorReason.Other, e.Message));
        }
    }

    private async Task SayFarewellAsync(CancellationToken cancellationToken)
    {
        await Outbox.DrainAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        await _connection.CompleteWritesAsync(cancellationToken).ConfigureAwait(false);
        // what was sent is lost if the connection is closed with bytes in it that nobody has read; the peer ends when it has seen our end
        await _receiving.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    // the first reason counts, and what this side wants before what it leads to
    private void End(ProxyException why, bool isOrderly = false)
    {
        if (Interlocked.Exchange(ref _isOver, 1) != 0) return;
        isOrderly |= _closing is not null;
        why = _closing ?? why;
        _keepAlive.Stop();
        _offers.Close(why);
        SessionChannel[] left = _channels.Close(why);
        LostChannels = left.Length;
        foreach (SessionChannel channel in left) Fail(channel, why);
        Outbox.Stop();
        _drained.TrySetResult();
        if (!isOrderly) _connection.Abort();
        _completion.TrySetResult(isOrderly ? null : why);
    }

    private async ValueTask CloseConnectionAsync()
    {
        try
        {
            await _sending.WaitAsync(FarewellTime, _options.Time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // a write is under way that the peer does not take
            _connection.Abort();
            await _sending.ConfigureAwait(false);
        }
        await _connection.DisposeAsync().ConfigureAwait(false);
    }
}

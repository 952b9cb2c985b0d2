using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Sessions;

/// <summary>Two sessions that talk to each other, over memory or over sockets; ends both, and says if one ended for a reason nobody wanted.</summary>
internal sealed class SessionPair : IAsyncDisposable
{
    /// <summary>The name of the connection within the process, beside those of <see cref="Sockets"/>.</summary>
    public const string Memory = "memory";

    private ConnectedPair? _sockets;
    private bool _isWatched = true;

    public required MultiplexedSession Near { get; init; }

    public required MultiplexedSession Far { get; init; }

    /// <summary>The near end's connection, over memory.</summary>
    public MemoryConnection? NearConnection { get; private init; }

    public static TheoryData<string> Carriers => new(Sockets.Kinds.Prepend(Memory));

    public static async Task<SessionPair> StartAsync(string carrier, SessionOptions near, SessionOptions? far = null)
    {
        ConnectedPair? sockets = carrier == Memory ? null : new ConnectedPair(carrier);
        (DuplexConnection nearEnd, DuplexConnection farEnd) = sockets is null ? MemoryConnection.Pair() : await sockets.ConnectAsync();
        Task<MultiplexedSession> started = MultiplexedSession.StartAsync(nearEnd, near, CancellationToken.None).AsTask();
        MultiplexedSession farSession = await MultiplexedSession.StartAsync(farEnd, far ?? near, CancellationToken.None).Within();
        return new SessionPair { _sockets = sockets, Near = await started.Within(), Far = farSession, NearConnection = nearEnd as MemoryConnection };
    }

    /// <summary>A channel and its other end.</summary>
    public async Task<(SessionChannel Near, SessionChannel Far)> OpenAsync(string name = "")
    {
        Task<SessionChannel> accepted = Far.AcceptAsync(name, CancellationToken.None);
        SessionChannel near = await Near.OfferAsync(name, CancellationToken.None).Within();
        return (near, await accepted.Within());
    }

    /// <summary>Waits until neither side has a channel left.</summary>
    public Task EmptyAsync() =>
        Deadline.Until(() => Near.ChannelCount == 0 && Far.ChannelCount == 0, $"all channels are closed; there are {Near.ChannelCount} and {Far.ChannelCount}");

    /// <summary>Reads to the end of the stream, as fast as it can.</summary>
    public static async Task<byte[]> ReadToEndAsync(DuplexConnection connection, int bufferLength = 64 * 1024)
    {
        using var all = new MemoryStream();
        var buffer = new byte[bufferLength];
        int count;
        while ((count = await connection.ReadAsync(buffer, CancellationToken.None).Within()) > 0) all.Write(buffer, 0, count);
        return all.ToArray();
    }

    /// <summary>Writes in parts, and the end.</summary>
    public static async Task SendAsync(DuplexConnection connection, ReadOnlyMemory<byte> bytes, int part = 100_000)
    {
        for (; bytes.Length > part; bytes = bytes[part..]) await connection.WriteAsync(bytes[..part], CancellationToken.None).Within();
        await connection.WriteAsync(bytes, CancellationToken.None).Within();
        await connection.CompleteWritesAsync(CancellationToken.None).Within();
    }

    /// <summary>The sessions may end for whatever reason.</summary>
    public void Unwatch() => _isWatched = false;

    public async ValueTask DisposeAsync()
    {
        await Near.DisposeAsync().Within();
        await Far.DisposeAsync().Within();
        if (_sockets is not null) await _sockets.DisposeAsync();
        ProxyException? near = await Near.Completion.Within(), far = await Far.Completion.Within();
        Assert.True(!_isWatched || (near is null && far is null), $"a session ended because of: {near?.Message ?? far?.Message}");
        Assert.Equal(0, Near.Windows);
        Assert.Equal(0, Far.Windows);
    }
}

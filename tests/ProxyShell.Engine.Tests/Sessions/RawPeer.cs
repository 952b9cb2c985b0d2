using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Multiplexing;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Tests.Protocols.Multiplexing;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Sessions;

/// <summary>A peer of a session that says frame by frame what a test wants, and sees frame by frame what it is told. It speaks version 2 or 3.</summary>
internal sealed class RawPeer : IAsyncDisposable
{
    private readonly DuplexConnection _connection;
    private readonly FrameCodec _codec;
    private readonly HeaderReader _reader;

    private RawPeer(MultiplexedSession session, DuplexConnection connection, HeaderReader reader, FrameCodec codec) =>
        (Session, _connection, _reader, _codec) = (session, connection, reader, codec);

    /// <summary>The session that is talked to.</summary>
    public MultiplexedSession Session { get; }

    public static async Task<RawPeer> StartAsync(SessionOptions? options = null)
    {
        options ??= new SessionOptions { KeepAlive = Timeout.InfiniteTimeSpan };
        (MemoryConnection near, MemoryConnection far) = MemoryConnection.Pair();
        var reader = new HeaderReader(far, 128 * 1024);
        Task<MultiplexedSession> starting = MultiplexedSession.StartAsync(near, options, CancellationToken.None).AsTask();
        if (options.Version != MultiplexingVersion.V3)
        {
            await far.WriteAsync(SessionHandshake.Write(options.Version, new byte[16]), CancellationToken.None);
            UInt128 random;
            for (int length; SessionHandshake.Read(options.Version, reader.Bytes, out length, out random, out _) != HeaderStatus.Complete || Consumed(reader, length);)
                Assert.True(await reader.ReadMoreAsync(CancellationToken.None).AsTask().Within());
        }
        // its random number is the smallest there is
        return new RawPeer(await starting.Within(), far, reader, FrameCodec.Of(options.Version, isOdd: false));

        static bool Consumed(HeaderReader reader, int length)
        {
            reader.Consume(length);
            return false;
        }
    }

    /// <summary>A channel that this peer offers, as it sees it.</summary>
    public static ChannelId Mine(long number) => new(number, ChannelSource.Local);

    /// <summary>A channel that the session offers, as this peer sees it.</summary>
    public static ChannelId Theirs(long number) => new(number, ChannelSource.Remote);

    /// <summary>The number of the next channel to offer, for those who only want any.</summary>
    public long NextOffer { get; set; } = 10;

    public byte[] Written(FrameCode code, ChannelId channel, byte[] payload) => new FrameFixture(code, channel.Flipped, Convert.ToHexString(payload)).Written(_codec);

    public Task SendAsync(FrameCode code, ChannelId channel, params byte[] payload) => SendAsync(Written(code, channel, payload));

    public async Task SendAsync(byte[] bytes) => await _connection.WriteAsync(bytes, CancellationToken.None).Within();

    /// <summary>Sends what the session may end because of before all of it is sent.</summary>
    public async Task TrySendAsync(byte[] bytes)
    {
        try
        {
            await SendAsync(bytes);
        }
        catch (ProxyException)
        {
            // it has seen enough
        }
    }

    public Task OfferAsync(long number, string name, long window = 102_400)
    {
        var output = new byte[FrameCodec.MaxFrame];
        var writer = new FrameWriter(output, _codec);
        writer.Offer(Mine(number), System.Text.Encoding.UTF8.GetBytes(name), window);
        return SendAsync(output[..writer.Length]);
    }

    public Task CountAsync(FrameCode code, ChannelId channel, long count)
    {
        var output = new byte[64];
        var writer = new FrameWriter(output, _codec);
        writer.Count(code, channel, count);
        return SendAsync(output[..writer.Length]);
    }

    /// <summary>The next frame, with the channel as this peer sees it; null at the end.</summary>
    public async Task<FrameFixture?> ReadAsync()
    {
        while (true)
        {
            HeaderStatus status = _codec.Read(_reader.Bytes, out Frame frame, out string fault);
            Assert.True(status != HeaderStatus.Invalid, fault);
            if (status == HeaderStatus.Complete)
            {
                FrameFixture read = FrameFixture.Of(frame, _reader.Bytes);
                _reader.Consume(frame.Length);
                return read;
            }
            if (!await _reader.ReadMoreAsync(CancellationToken.None).AsTask().Within()) return null;
        }
    }

    /// <summary>Reads a frame that has to have this code and channel; returns its payload.</summary>
    public async Task<byte[]> ExpectAsync(FrameCode code, ChannelId channel)
    {
        FrameFixture? frame = await ReadAsync();
        Assert.Equal((code, channel), (frame?.Code, frame?.Channel));
        return Convert.FromHexString(frame!.PayloadHex);
    }

    /// <summary>Ends this peer's direction.</summary>
    public async Task EndAsync() => await _connection.CompleteWritesAsync(CancellationToken.None);

    /// <summary>Ends this peer's direction, unless the session has left already.</summary>
    public async Task TryEndAsync()
    {
        try
        {
            await EndAsync();
        }
        catch (ProxyException)
        {
            // it has left
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        await Session.DisposeAsync().Within();
        Assert.Equal(0, Session.Windows);
    }
}

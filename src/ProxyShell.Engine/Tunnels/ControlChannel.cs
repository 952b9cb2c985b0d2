using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Tunnels;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels;

/// <summary>The channel of a session in which gateway and agent speak about the tunnel. One reader; writers take turns.</summary>
internal sealed class ControlChannel(DuplexConnection channel) : IDisposable
{
    private readonly HeaderReader _reader = new(channel, ControlMessageCodec.MaxLength);
    private readonly SemaphoreSlim _turn = new(1);
    private bool _hasEnded;

    /// <summary>The control channel of a session.</summary>
    /// <exception cref="ProxyException">The other side has closed it already; the session is closed too then.</exception>
    public static async ValueTask<ControlChannel> OpenAsync(MultiplexedSession session)
    {
        try
        {
            return new ControlChannel(session.Seeded(0));
        }
        catch (ArgumentOutOfRangeException)
        {
            await session.DisposeAsync().ConfigureAwait(false);
            throw new ProxyException(ProxyErrorReason.ConnectionClosed, ProxyStage.Request, null, "the control channel was closed at once");
        }
    }

    /// <summary>Reads the next message; null when the other side has ended its direction.</summary>
    /// <exception cref="ProxyException">The session is over, or what came is no message.</exception>
    public async ValueTask<ControlMessage?> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            switch (ControlMessageCodec.Read(_reader.Bytes, out int length, out ControlMessage? message, out string fault))
            {
                case HeaderStatus.Complete:
                    _reader.Consume(length);
                    return message;
                case HeaderStatus.Invalid:
                    throw Broken(fault);
            }
            _reader.Rest();
            if (await _reader.ReadMoreAsync(cancellationToken).ConfigureAwait(false)) continue;
            return _reader.Bytes.IsEmpty ? null : throw Broken("the control channel ended within a message");
        }
    }

    /// <summary>Reads the next message of one of these types or an error; whatever else comes is passed over, if it is not out of order.</summary>
    /// <exception cref="ProxyException">Another known message came, or none.</exception>
    public async ValueTask<ControlMessage> ExpectAsync(string type, CancellationToken cancellationToken)
    {
        while (true)
        {
            ControlMessage message = await ReadAsync(cancellationToken).ConfigureAwait(false) ?? throw Broken($"the control channel ended before '{type}'");
            if (message.Type == type || message.Type == ControlMessageType.Error) return message;
            if (!await AnswerAsync(message, cancellationToken).ConfigureAwait(false) && IsKnown(message.Type)) throw Broken($"{message.Shown} came instead of '{type}'");
        }
    }

    /// <summary>Answers a ping; false when it is none, nor the answer to one.</summary>
    public async ValueTask<bool> AnswerAsync(ControlMessage message, CancellationToken cancellationToken)
    {
        if (message.Type != ControlMessageType.Ping) return message.Type == ControlMessageType.Pong;
        await WriteAsync(new ControlMessage { Type = ControlMessageType.Pong, Id = message.Id }, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Sends a message; nothing is sent behind the end.</summary>
    public async ValueTask WriteAsync(ControlMessage message, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_hasEnded) await channel.WriteAsync(ControlMessageCodec.Write(message), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Sends a last message and ends this direction; done once.</summary>
    public async ValueTask EndAsync(ControlMessage last, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_hasEnded) return;
            _hasEnded = true;
            await channel.WriteAsync(ControlMessageCodec.Write(last), cancellationToken).ConfigureAwait(false);
            await channel.CompleteWritesAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    // whoever still waits for a turn finds the channel closed
    public void Dispose() => _reader.Dispose();

    private static bool IsKnown(string type) =>
        type is ControlMessageType.Hello or ControlMessageType.Challenge or ControlMessageType.Register or ControlMessageType.Registered
            or ControlMessageType.Drain or ControlMessageType.Bye;

    private static ProxyException Broken(string what) => new(ProxyErrorReason.ProtocolError, ProxyStage.Request, null, what);
}

using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels;

/// <summary>A path whose datagrams travel in a channel to an agent, which sends them on.</summary>
internal sealed class ChannelDatagramPath : DatagramPath
{
    // how long an orderly end may take
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(1);

    private readonly DuplexConnection _channel;
    private readonly DatagramStream _stream;
    private readonly TunnelRegistration _registration;
    private readonly IDatagramSink _sink;
    private readonly Task _receiving;
    private int _ended;

    /// <summary>Takes the channel over, and the registration's work with it.</summary>
    public ChannelDatagramPath(DuplexConnection channel, TunnelRegistration registration, IDatagramSink sink)
    {
        (_channel, _registration, _sink) = (channel, registration, sink);
        _stream = new DatagramStream(channel);
        _receiving = ReceiveAsync();
    }

    public override int MaxPayload => DatagramFrame.MaxLength;

    public override bool Send(ReadOnlySpan<byte> payload) => _stream.Send(payload);

    // ends with the channel, at the latest when the time for it is over
    public override void Abort() => _ = CloseAsync();

    private async Task ReceiveAsync()
    {
        string service = $"service of {_registration.Grant.Name}";
        ProxyException failure;
        try
        {
            await _stream.ReceiveAsync(_sink).ConfigureAwait(false);
            failure = new ProxyException(ProxyErrorReason.ConnectionClosed, ProxyStage.Relay, service, "the agent ended the flow") { Side = ProxySide.Upstream };
        }
        catch (ProxyException e)
        {
            failure = new ProxyException(e.Reason, ProxyStage.Relay, service, e.Detail, e) { Side = ProxySide.Upstream };
        }
        catch (Exception e)
        {
            failure = new ProxyException(ProxyErrorReason.Other, ProxyStage.None, "internal error", e.ToString(), e);
        }
        // what comes of an end that was asked for is no failure
        if (Volatile.Read(ref _ended) == 0) _sink.OnFailed(failure);
    }

    private async Task CloseAsync()
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0) return;
        try
        {
            using var limit = new CancellationTokenSource(EndLimit);
            await _stream.EndAsync(default, limit.Token).ConfigureAwait(false);
            await _receiving.WaitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ProxyException or OperationCanceledException)
        {
            _channel.Abort();
        }
        await _channel.DisposeAsync().ConfigureAwait(false);
        _registration.End();
    }
}

using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Multiplexing;

namespace ProxyShell.Engine.Sessions;

/// <summary>A channel that the peer offers, and that waits for a decision.</summary>
public sealed class ChannelOffer
{
    private readonly SessionChannel _channel;

    internal ChannelOffer(SessionChannel channel) => _channel = channel;

    /// <summary>The offered channel.</summary>
    public ChannelId Id => _channel.Id;

    /// <summary>Its name; empty when it is anonymous.</summary>
    public string Name => _channel.Name;

    /// <summary>Accepts the channel.</summary>
    /// <exception cref="ProxyException">The peer has withdrawn the offer, or it was decided on before.</exception>
    public SessionChannel Accept() =>
        _channel.Session.TryAccept(_channel) ? _channel : throw SessionFault.Of(ProxyErrorReason.ConnectionClosed, $"channel {Id} is not on offer any more");

    /// <summary>Rejects the channel, and tells the peer why (versions 2 and 3).</summary>
    public void Reject(ProxyException why) => _channel.Session.Terminate(_channel, why, Farewell.Error);
}

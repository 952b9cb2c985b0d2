using System.Buffers.Text;
using System.Text;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Sessions;

namespace ProxyShell.Engine.Inbound;

/// <summary>
/// A client's session at a service: every channel that it offers is served as a connection of its own, whose first bytes are the channel's name.
/// The first one has to come as soon as a request would; later on a session without channels may be idle for as long as a connection may.
/// </summary>
internal sealed class InboundSession
{
    private readonly MultiplexedSession _session;
    private readonly ServedConnection _carrier;
    private readonly InboundContext _context;
    private readonly ListenerService _host;
    private readonly Lock _gate = new();
    private int _live;

    public InboundSession(MultiplexedSession session, ServedConnection carrier, InboundContext context, ListenerService host)
    {
        (_session, _carrier, _context, _host) = (session, carrier, context, host);
        carrier.Record.ReplaceClient(session);
    }

    /// <summary>Runs until the session ends; what broke it is thrown.</summary>
    public async Task RunAsync()
    {
        using SessionListing listing = _host.List(_session, _carrier);
        await using (_session.ConfigureAwait(false))
        {
            using CancellationTokenRegistration stopping = _context.Stopping.UnsafeRegister(static run => ((InboundSession)run!).Drain(), this);
            try
            {
                Serve(await _session.NextOfferAsync(_carrier.Clock.Token).ConfigureAwait(false));
                _carrier.EndSetUp();
                _context.NoteOpen(_carrier);
                while (true) Serve(await _session.NextOfferAsync(CancellationToken.None).ConfigureAwait(false));
            }
            catch (ProxyException)
            {
                // the session is over; its completion tells whether in order
            }
        }
        listing.Session.LastError = await _session.Completion.ConfigureAwait(false);
        if (listing.Session.LastError is { } failure)
            throw new ProxyException(failure.Reason, ProxyStage.Relay, "client side", failure.Detail, failure) { Side = ProxySide.Client };
    }

    private void Serve(ChannelOffer offer)
    {
        if (!TryRead(offer.Name, out byte[] first))
        {
            offer.Reject(SessionFault.Protocol("the channel's name is not base64 of a stream's first bytes"));
            return;
        }
        SessionChannel channel;
        try
        {
            channel = offer.Accept();
        }
        catch (ProxyException)
        {
            // withdrawn meanwhile
            return;
        }
        if (first.Length > 0) channel.Unread(first);
        _ = ServeAsync(channel);
    }

    // the registry knows it, and ends it with the service
    private async Task ServeAsync(SessionChannel channel)
    {
        Count(1);
        await _host.ServeChannelAsync(channel, _carrier).ConfigureAwait(false);
        Count(-1);
    }

    // with channels the session is in use, whatever they do
    private void Count(int change)
    {
        lock (_gate)
        {
            _live += change;
            _carrier.Record.IdleLimit = _live > 0 ? Timeout.InfiniteTimeSpan : null;
        }
        _carrier.Record.NoteActivity();
    }

    private void Drain() => _ = DrainAsync();

    private async Task DrainAsync()
    {
        await _session.DrainAsync(SessionFault.Of(ProxyErrorReason.Stopping, ProxyErrorText.Describe(ProxyErrorReason.Stopping))).ConfigureAwait(false);
        await _session.DisposeAsync().ConfigureAwait(false);
    }

    private static bool TryRead(string name, out byte[] bytes)
    {
        bytes = [];
        if (name.Length == 0) return true;
        byte[] text = Encoding.UTF8.GetBytes(name);
        if (Base64.DecodeFromUtf8InPlace(text, out int count) != System.Buffers.OperationStatus.Done) return false;
        bytes = text[..count];
        return true;
    }
}

using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Inbound.Http;
using ProxyShell.Engine.Protocols.Http;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels.Http;

/// <summary>
/// Gets connections to services for the requests of one client: one that waits for work, or a new one, of the least busy agent. An agent
/// that cannot give one is passed over for the next: nothing of the request has been sent by then.
/// </summary>
internal sealed class ServiceReach(TunnelHttpContext context, ServedConnection served) : IAsyncDisposable
{
    // where each connection serves one client only
    private TunnelLink? _own;

    /// <summary>Why there was no connection.</summary>
    public HttpRefusal? Refusal { get; private set; }

    /// <summary>A connection for this request, or null, and then <see cref="Refusal"/> says why. To be left, and its work ended.</summary>
    public async ValueTask<TunnelLink?> ConnectAsync(RequestNotes notes, HttpRequestHead request)
    {
        Refusal = TunnelRefusals.AgentGone(notes.Host);
        List<TunnelRegistration>? tried = null;
        while (context.Directory.Find(notes.Host, TunnelKind.Http, tried).Registration is { } registration)
        {
            if (!registration.Begin()) Refusal = TunnelRefusals.Busy(notes.Host);
            else if (await ConnectAsync(registration, notes, request).ConfigureAwait(false) is { } upstream) return Link(registration, upstream, request);
            else registration.End();
            (tried ??= []).Add(registration);
        }
        return null;
    }

    /// <summary>Keeps a connection that can carry another request, or closes it.</summary>
    public ValueTask LeaveAsync(TunnelLink link, bool canServeMore)
    {
        canServeMore &= served.Record.DetachUpstream() && !link.Registration.IsLeaving;
        if (canServeMore && link.Registration.Grant.Settings.OneClientPerChannel && link.Upstream.TryRest())
        {
            _own = link;
            return ValueTask.CompletedTask;
        }
        if (canServeMore && context.Shared.ConnectionsOf(link.Registration).TryKeep(link.Upstream, context.Http.MaxIdleConnections)) return ValueTask.CompletedTask;
        return link.Upstream.DisposeAsync();
    }

    /// <summary>The work is done.</summary>
    public static void End(TunnelLink link) => link.Registration.End();

    public ValueTask DisposeAsync() => TakeOwn()?.Upstream.DisposeAsync() ?? ValueTask.CompletedTask;

    private TunnelLink Link(TunnelRegistration registration, HttpUpstream upstream, HttpRequestHead request)
    {
        served.Record.AttachUpstream(upstream.Connection);
        context.NoteOpen(served);
        return new TunnelLink(registration, upstream) { WantsJson = HttpAccept.PrefersJson(request.Fields) };
    }

    private async ValueTask<HttpUpstream?> ConnectAsync(TunnelRegistration registration, RequestNotes notes, HttpRequestHead request)
    {
        if (await TakeKeptAsync(registration, request).ConfigureAwait(false) is { } kept) return kept;
        try
        {
            return await OpenAsync(registration, notes.Host).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ProxyException or OperationCanceledException && served.Record.AbortReason == ProxyErrorReason.None)
        {
            Refusal = RefusalFor(e as ProxyException, notes.Host);
            return null;
        }
    }

    private async ValueTask<HttpUpstream?> TakeKeptAsync(TunnelRegistration registration, HttpRequestHead request)
    {
        bool isRepeatable = request.IsIdempotent && request.Body.Kind == HttpBodyKind.None;
        if (!registration.Grant.Settings.OneClientPerChannel) return context.Shared.ConnectionsOf(registration).TryTake(isRepeatable);
        if (TakeOwn() is not { } own) return null;
        if (own.Registration == registration && own.Upstream.TryWake()) return own.Upstream;
        await own.Upstream.DisposeAsync().ConfigureAwait(false);
        return null;
    }

    private async ValueTask<HttpUpstream> OpenAsync(TunnelRegistration registration, string host)
    {
        var visitor = new TunnelVisitor { Client = served.Addresses.Source, Gateway = served.Addresses.Destination, Scheme = context.Scheme, Host = host };
        using var limit = new CancellationTokenSource(context.Options.ConnectTimeout, context.Time);
        // the clock ends when the connection is aborted
        await using CancellationTokenRegistration abort = served.Clock.Token.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), limit);
        DuplexConnection connection = await registration.OpenAsync(visitor, limit.Token).ConfigureAwait(false);
        // passing on takes less than handing over to another thread
        if (connection.Loop is { } loop) connection.ContinueOn(loop);
        return new HttpUpstream(connection, $"the service of {host}");
    }

    private static HttpRefusal RefusalFor(ProxyException? e, string host) => e switch
    {
        null or { Reason: ProxyErrorReason.TimedOut } => TunnelRefusals.NoAnswer(host),
        { Stage: ProxyStage.Request, Reason: ProxyErrorReason.LimitExceeded } => TunnelRefusals.Busy(host),
        { Stage: ProxyStage.Request or ProxyStage.Relay } => TunnelRefusals.AgentGone(host),
        _ => TunnelRefusals.ServiceDown(host, e.Reason),
    };

    private TunnelLink? TakeOwn() => Interlocked.Exchange(ref _own, null);
}

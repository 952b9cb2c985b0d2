using System.Net;
using System.Text;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Inbound.Http;
using ProxyShell.Engine.Protocols.Http;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels.Http;

/// <summary>Passes the requests of one public client on to the tunnels that they are for.</summary>
internal sealed class TunnelForwarder(TunnelHttpContext context, ServedConnection served, HeaderReader reader) : HttpForwarder(context, served, reader)
{
    private readonly TunnelAdmission _admission = new(context);
    private readonly ServiceReach _reach = new(context, served);
    private readonly string _client = RequestNotes.ClientOf(served);
    private RequestNotes? _notes;
    private TunnelLink? _link;

    private RequestNotes Notes => _notes!;

    private TunnelLink Link => _link!;

    /// <summary>Serves a request; false when no other one can follow.</summary>
    public async Task<bool> ServeAsync(HttpRequestHead request)
    {
        Served.Clock.Allow(Timeout.InfiniteTimeSpan);
        // from now on the connection is one that may rest between requests
        Served.Record.State = ConnectionState.Open;
        _notes = new RequestNotes(Served, request, context.Time) { Client = _client, Host = Encoding.ASCII.GetString(HttpAuthority.HostOf(request.Host)) };
        try
        {
            if (Turn(request) is { } refusal) return await RefuseAsync(refusal, request).ConfigureAwait(false);
            return await ForwardAsync(request).ConfigureAwait(false);
        }
        catch (ProxyException e) when (Notes.Reason.Length == 0)
        {
            Notes.Reason = ReasonOf(e);
            throw;
        }
        finally
        {
            context.Write(Notes.ToRecord(context.Scheme), Served.Record);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await _reach.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override async ValueTask<HttpUpstream?> ReachAsync(HttpRequestHead request)
    {
        _link = await _reach.ConnectAsync(Notes, request).ConfigureAwait(false);
        if (_link is not null) return _link.Upstream;
        await RefuseAsync(_reach.Refusal!, request).ConfigureAwait(false);
        return null;
    }

    protected override HttpTerms TermsFor(HttpRequestHead request)
    {
        TunnelSettings settings = Link.Registration.Grant.Settings;
        var rewriting = new HttpPublishing
        {
            Client = _client,
            Scheme = context.Scheme,
            IsTrusted = Served.Record.ClientEndPoint is IPEndPoint { Address: var peer } && context.Http.TrustedProxies.Any(network => network.Contains(peer)),
            HostHeader = settings.HostHeader,
            DropsAuthorization = _admission.AsksForUser(settings),
        };
        return new HttpTerms(rewriting, context.Time)
        {
            AnswerTimeout = context.Http.AnswerTimeout,
            MaxBody = _admission.MaxBody(settings),
            Stopping = context.Shared.Stopping,
        };
    }

    protected override ValueTask LeaveAsync(HttpUpstream upstream, bool canServeMore) => _reach.LeaveAsync(Link, canServeMore);

    protected override void Note(HttpExchange exchange)
    {
        Notes.Note(exchange);
        ServiceReach.End(Link);
    }

    protected override HttpRefusal? RefusalFor(ProxyException cause)
    {
        HttpRefusal? refusal = cause switch
        {
            { Side: ProxySide.Client, Reason: ProxyErrorReason.LimitExceeded } => TunnelRefusals.TooLarge(_admission.MaxBody(Link.Registration.Grant.Settings)),
            { Side: ProxySide.Client, Reason: ProxyErrorReason.ProtocolError or ProxyErrorReason.ConnectionClosed } => TunnelRefusals.Bad(HttpFault.Bad(cause.Detail)),
            { Side: ProxySide.Client } => null,
            { Reason: ProxyErrorReason.TimedOut } => TunnelRefusals.NoAnswer(Notes.Host),
            _ when Link.IsAgentGone => TunnelRefusals.AgentGone(Notes.Host),
            _ => TunnelRefusals.ServiceFailed(Notes.Host, cause.Reason),
        };
        return refusal is null ? null : Notes.Refuse(refusal with { AsJson = Link.WantsJson });
    }

    // what stands against the request before it is known who would serve it, or whether that one may be asked
    private HttpRefusal? Turn(HttpRequestHead request)
    {
        if (request.Form == HttpTargetForm.Authority) return TunnelRefusals.NoProxy;
        if (request.EndsHere) return TunnelRefusals.EndsHere(request.Method);
        TunnelLookup lookup = context.Directory.Find(Notes.Host, TunnelKind.Http);
        if (lookup.Status == TunnelLookupStatus.Unknown) return TunnelRefusals.UnknownHost(Notes.Host);
        if (lookup.Registration is not { } registration) return TunnelRefusals.AgentGone(Notes.Host);
        Notes.Tunnel = registration.Grant.Name;
        Served.Record.Destination = registration.Grant.Name;
        return _admission.Check(Served, request, registration.Grant, Notes);
    }

    // nothing of the request was passed on: without a body, another one can follow
    private ValueTask<bool> RefuseAsync(HttpRefusal refusal, HttpRequestHead request)
    {
        bool closes = !request.KeepsAlive || context.Shared.Stopping.IsCancellationRequested || request.Body.Kind != HttpBodyKind.None || request.Form == HttpTargetForm.Authority;
        return AnswerAsync(Notes.Refuse(refusal with { Closes = closes, AsJson = HttpAccept.PrefersJson(request.Fields) }), request);
    }

    private string ReasonOf(ProxyException e) => e switch
    {
        _ when Served.Record.AbortReason != ProxyErrorReason.None => "aborted",
        { Side: ProxySide.Client } => "client-gone",
        _ when _link?.IsAgentGone == true => "agent-gone",
        _ => "service-failed",
    };
}

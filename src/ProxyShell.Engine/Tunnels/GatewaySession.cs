using System.Net;
using System.Text.Json;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Tunnels;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels;

/// <summary>The gateway's side of one agent's session, from its registration to its end.</summary>
internal sealed class GatewaySession : IAsyncDisposable
{
    // beside the channels of visitors: the control channel, and probes
    private const int OwnChannels = 16;

    private static readonly TimeSpan LastWordsTime = TimeSpan.FromSeconds(2);

    private readonly TunnelDesk _desk;
    private readonly MultiplexedSession _session;
    private readonly ControlChannel _control;
    private readonly TimeProvider _time;
    private volatile TunnelRegistration? _registration;
    private volatile ProxyException? _parting;
    private bool _agentLeft;

    private GatewaySession(TunnelDesk desk, MultiplexedSession session, ControlChannel control, TimeProvider time) =>
        (_desk, _session, _control, _time) = (desk, session, control, time);

    /// <summary>Bytes towards the agent and from it, in channels.</summary>
    public (long Sent, long Received) Bytes => (_session.BytesSent, _session.BytesReceived);

    /// <summary>The round trip, if it is known.</summary>
    public TimeSpan? RoundTrip => _session.RoundTrip;

    /// <summary>Lays a session over an agent's connection.</summary>
    public static async ValueTask<GatewaySession> StartAsync(TunnelDesk desk, TunnelGatewayOptions options, ServedConnection served)
    {
        var settings = new SessionOptions
        {
            SeededChannels = 1,
            KeepAlive = options.SilenceLimit,
            // agents answer, they do not ask
            MaxPendingOffers = 0,
            MaxChannels = options.MaxConnectionsPerTunnel + OwnChannels,
            Time = options.TimeProvider,
        };
        MultiplexedSession session = await MultiplexedSession.StartAsync(served.Client, settings, served.Clock.Token).ConfigureAwait(false);
        return new GatewaySession(desk, session, await ControlChannel.OpenAsync(session).ConfigureAwait(false), options.TimeProvider);
    }

    /// <summary>Has the agent introduce itself; what it is refused for it is told, and thrown.</summary>
    public async ValueTask<TunnelRegistration> RegisterAsync(RegistrationCheck check, EndPoint? agent, CancellationToken cancellationToken)
    {
        try
        {
            ControlMessage hello = await _control.ExpectAsync(ControlMessageType.Hello, cancellationToken).ConfigureAwait(false);
            RegistrationCheck.RequireVersion(hello);
            await _control.WriteAsync(check.Challenge, cancellationToken).ConfigureAwait(false);
            ControlMessage register = await _control.ExpectAsync(ControlMessageType.Register, cancellationToken).ConfigureAwait(false);
            // signatures take their time, which no loop has
            (TunnelClaimant claimant, TunnelRequest request) = await Task.Run(() => check.Verify(register), cancellationToken).ConfigureAwait(false);
            (_registration, TunnelRegistration? former) = _desk.Register(claimant, request, this, agent);
            if (former is not null) await _desk.EndAsync(former).ConfigureAwait(false);
            await _control.WriteAsync(Answer(_registration.Grant), cancellationToken).ConfigureAwait(false);
            return _registration;
        }
        catch (Exception e)
        {
            // what was given is free again, if the agent did not even hear of it
            if (_registration is { } registration) await _desk.UnregisterAsync(registration, isWithdrawn: true).ConfigureAwait(false);
            if (e is ProxyException known) await RefuseAsync(known).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Listens to the agent until one of the two leaves; a session that breaks off is thrown.</summary>
    public async Task ServeAsync()
    {
        ProxyException? broken = null;
        try
        {
            while (!_agentLeft && await _control.ReadAsync(CancellationToken.None).ConfigureAwait(false) is { } message) await TakeAsync(message).ConfigureAwait(false);
        }
        catch (ProxyException e)
        {
            broken = e;
        }
        if (_parting is { Reason: ProxyErrorReason.Stopping } stopping && broken is null)
        {
            // visitors that are there still finish
            await _session.DrainAsync(stopping).ConfigureAwait(false);
            return;
        }
        if (_parting is { } parting) throw parting;
        if (!_agentLeft) throw Lost(broken);
    }

    /// <summary>Whether the agent has said that it leaves, so that nobody has to wait for it.</summary>
    public bool AgentLeft => _agentLeft;

    /// <summary>Tells the agent that the gateway leaves, and lets the visitors finish.</summary>
    public Task LeaveAsync()
    {
        _parting ??= new ProxyException(ProxyErrorReason.Stopping, ProxyStage.Relay, null, "the gateway is stopping");
        _registration?.Leave();
        return SayLastAsync(new ControlMessage { Type = ControlMessageType.Bye, Reason = nameof(ProxyErrorReason.Stopping), Message = "the gateway is stopping" });
    }

    /// <summary>Ends the session at once, and tells the agent so.</summary>
    public async Task KickAsync()
    {
        if (_session.Completion.IsCompleted) return;
        var kicked = new ProxyException(ProxyErrorReason.Aborted, ProxyStage.Relay, null, "the gateway's operator has ended the tunnel");
        _parting ??= kicked;
        if (_registration is { } registration) _desk.Lose(registration);
        await SayLastAsync(new ControlMessage { Type = ControlMessageType.Error, Reason = nameof(ProxyErrorReason.Aborted), Message = kicked.Detail, Fatal = true }).ConfigureAwait(false);
        await _session.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc cref="TunnelRegistration.OpenAsync"/>
    public async ValueTask<DuplexConnection> OpenAsync(TunnelVisitor visitor, CancellationToken cancellationToken)
    {
        var header = new VisitorHeader
        {
            Client = (visitor.Client as IPEndPoint)?.ToString(),
            Gateway = (visitor.Gateway as IPEndPoint)?.ToString(),
            Scheme = visitor.Scheme,
            Host = visitor.Host.Length == 0 ? null : visitor.Host,
        };
        try
        {
            return await _session.OfferAsync(JsonSerializer.Serialize(header, TunnelJson.Default.VisitorHeader), cancellationToken).ConfigureAwait(false);
        }
        catch (ProxyException e)
        {
            throw Explain(e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _session.DisposeAsync().ConfigureAwait(false);
        _control.Dispose();
    }

    /// <summary>Ends the session without a word.</summary>
    public void Abort() => _session.Abort();

    private async ValueTask TakeAsync(ControlMessage message)
    {
        switch (message.Type)
        {
            case ControlMessageType.Ping:
                await _control.AnswerAsync(message, CancellationToken.None).ConfigureAwait(false);
                break;
            case ControlMessageType.Drain:
                _registration!.Leave();
                await _control.WriteAsync(new ControlMessage { Type = ControlMessageType.Drain }, CancellationToken.None).ConfigureAwait(false);
                break;
            case ControlMessageType.Bye:
                _agentLeft = true;
                await SayLastAsync(new ControlMessage { Type = ControlMessageType.Bye }).ConfigureAwait(false);
                break;
            case ControlMessageType.Hello or ControlMessageType.Register:
                throw new ProxyException(ProxyErrorReason.ProtocolError, ProxyStage.Relay, null, $"{message.Shown} came behind the registration");
        }
    }

    private Task RefuseAsync(ProxyException why) => SayLastAsync(
        new ControlMessage { Type = ControlMessageType.Error, Reason = why.Reason.ToString(), Message = why.Detail, Fatal = RegistrationCheck.IsFatal(why) });

    private async Task SayLastAsync(ControlMessage message)
    {
        try
        {
            using var limit = new CancellationTokenSource(LastWordsTime, _time);
            await _control.EndAsync(message, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ProxyException or OperationCanceledException)
        {
            // the agent does not listen: it sees the session end instead
        }
    }

    private ProxyException Lost(ProxyException? broken)
    {
        string subject = $"agent of {_registration!.Grant.Name}", detail = broken?.Detail ?? "closed the session without a word";
        return new ProxyException(broken?.Reason ?? ProxyErrorReason.ConnectionClosed, ProxyStage.Relay, subject, detail, broken) { Side = ProxySide.Client };
    }

    private ProxyException Explain(ProxyException e)
    {
        string name = _registration?.Grant.Name ?? "";
        if (_session.IsOver)
        {
            if (_registration is { } registration) _desk.Lose(registration);
            return new ProxyException(ProxyErrorReason.ConnectionClosed, ProxyStage.Relay, $"agent of {name}", "is gone", e) { Side = ProxySide.Upstream };
        }
        ProxyStage stage = e.Reason switch
        {
            ProxyErrorReason.LimitExceeded or ProxyErrorReason.Stopping or ProxyErrorReason.ProtocolError => ProxyStage.Request,
            ProxyErrorReason.TlsFailed => ProxyStage.Tls,
            ProxyErrorReason.NameNotFound => ProxyStage.Resolve,
            _ => ProxyStage.Dial,
        };
        return new ProxyException(e.Reason, stage, $"service of {name}", e.Detail, e) { Side = ProxySide.Upstream };
    }

    private static ControlMessage Answer(TunnelGrant grant) => new()
    {
        Type = ControlMessageType.Registered,
        Name = grant.Name,
        Url = grant.Url,
        Port = grant.Port == 0 ? null : grant.Port,
    };
}

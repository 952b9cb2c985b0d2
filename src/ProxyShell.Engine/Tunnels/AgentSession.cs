using System.Buffers.Text;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Tunnels;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels;

/// <summary>The agent's side of one session, from its registration to its end.</summary>
internal sealed class AgentSession : IAsyncDisposable
{
    private const string Software = "ProxyShell";

    private static readonly TimeSpan LastWordsTime = TimeSpan.FromSeconds(2);

    private readonly MultiplexedSession _session;
    private readonly ControlChannel _control;
    private readonly TunnelAgentOptions _options;
    private readonly byte[]? _certificateHash;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _offers = Task.CompletedTask;

    private AgentSession(MultiplexedSession session, ControlChannel control, TunnelAgentOptions options, byte[]? certificateHash) =>
        (_session, _control, _options, _certificateHash) = (session, control, options, certificateHash);

    /// <summary>The round trip, if it is known.</summary>
    public TimeSpan? RoundTrip => _session.RoundTrip;

    /// <summary>Lays a session over the connection to the gateway, which belongs to it.</summary>
    public static async ValueTask<AgentSession> StartAsync(DuplexConnection connection, TunnelAgentOptions options, CancellationToken cancellationToken)
    {
        byte[]? certificateHash = connection.ServerCertificateHash;
        var settings = new SessionOptions { SeededChannels = 1, KeepAlive = options.SilenceLimit, Time = options.TimeProvider };
        MultiplexedSession session = await MultiplexedSession.StartAsync(connection, settings, cancellationToken).ConfigureAwait(false);
        return new AgentSession(session, await ControlChannel.OpenAsync(session).ConfigureAwait(false), options, certificateHash);
    }

    /// <summary>Introduces itself and asks for the tunnel; what it had last is wished for again.</summary>
    /// <exception cref="ProxyException">The gateway refuses, with its reason; or the session broke off.</exception>
    public async ValueTask<ControlMessage> RegisterAsync(string instance, ControlMessage? last, CancellationToken cancellationToken)
    {
        await _control.WriteAsync(new ControlMessage { Type = ControlMessageType.Hello, Version = RegistrationCheck.Version, Software = Software }, cancellationToken).ConfigureAwait(false);
        ControlMessage challenge = Accepted(await _control.ExpectAsync(ControlMessageType.Challenge, cancellationToken).ConfigureAwait(false));
        RegistrationCheck.RequireVersion(challenge);
        RegistrationClaims claims = Claims(challenge, Request(last) with { Instance = instance });
        // signing takes its time, which no loop has
        string jws = await Task.Run(() => RegistrationProof.Sign(_options.Identity, claims), cancellationToken).ConfigureAwait(false);
        await _control.WriteAsync(new ControlMessage { Type = ControlMessageType.Register, Jws = jws }, cancellationToken).ConfigureAwait(false);
        return Accepted(await _control.ExpectAsync(ControlMessageType.Registered, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Serves visitors until the session is over. Returns when the gateway has left in order or this agent has; else throws why.</summary>
    public async Task ServeAsync(ServiceJoiner joiner)
    {
        // ends with the session, which is disposed of behind it
        _offers = TakeOffersAsync(joiner);
        bool gatewayLeft = false;
        while (!gatewayLeft && await ReadAsync().ConfigureAwait(false) is { } message) gatewayLeft = await TakeAsync(message).ConfigureAwait(false);
        ProxyException? end = await _session.Completion.ConfigureAwait(false);
        if (gatewayLeft || _drained.Task.IsCompleted) return;
        throw new ProxyException(end?.Reason ?? ProxyErrorReason.ConnectionClosed, ProxyStage.Relay, $"gateway {_options.Gateway}", end?.Detail ?? "closed the session without a word", end);
    }

    /// <summary>Asks for no new visitors, lets those that are there finish, and leaves.</summary>
    public async Task LeaveAsync(ConnectionRegistry visitors, CancellationToken hurry)
    {
        await SayAsync(ControlMessageType.Drain).ConfigureAwait(false);
        // offers that are on their way come before the answer
        await _drained.Task.WaitAsync(LastWordsTime, _options.TimeProvider, hurry).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _drained.TrySetResult();
        await visitors.WhenEmptyAsync().WaitAsync(hurry).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (ProxyConnection visitor in visitors.ToList()) visitor.Abort(ProxyErrorReason.Stopping);
        await SayAsync(ControlMessageType.Bye).ConfigureAwait(false);
        await ((Task)_session.Completion).WaitAsync(LastWordsTime, _options.TimeProvider, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _session.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Ends the session without a word.</summary>
    public void Abort() => _session.Abort();

    public async ValueTask DisposeAsync()
    {
        await _session.DisposeAsync().ConfigureAwait(false);
        await _offers.ConfigureAwait(false);
        _control.Dispose();
    }

    private async ValueTask<ControlMessage?> ReadAsync()
    {
        try
        {
            return await _control.ReadAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (ProxyException) when (_session.IsOver)
        {
            return null;
        }
        catch (ProxyException)
        {
            // what the gateway says makes no sense
            _session.Abort();
            throw;
        }
    }

    // true when the gateway leaves
    private async ValueTask<bool> TakeAsync(ControlMessage message)
    {
        switch (message.Type)
        {
            case ControlMessageType.Ping:
                await _control.AnswerAsync(message, CancellationToken.None).ConfigureAwait(false);
                return false;
            case ControlMessageType.Drain:
                _drained.TrySetResult();
                return false;
            case ControlMessageType.Error:
                throw Refusal(message);
            case ControlMessageType.Bye:
                await SayAsync(ControlMessageType.Bye).ConfigureAwait(false);
                return true;
            default:
                return false;
        }
    }

    private async Task TakeOffersAsync(ServiceJoiner joiner)
    {
        try
        {
            // each visitor is owned by its record in the registry
            while (true) _ = joiner.JoinAsync(await _session.NextOfferAsync(CancellationToken.None).ConfigureAwait(false));
        }
        catch (ProxyException)
        {
            // the session is over
        }
    }

    private async Task SayAsync(string type)
    {
        try
        {
            var message = new ControlMessage { Type = type };
            using var limit = new CancellationTokenSource(LastWordsTime, _options.TimeProvider);
            if (type == ControlMessageType.Bye) await _control.EndAsync(message, limit.Token).ConfigureAwait(false);
            else await _control.WriteAsync(message, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ProxyException or OperationCanceledException)
        {
            // the gateway does not listen: it sees the session end instead
        }
    }

    private RegistrationClaims Claims(ControlMessage challenge, TunnelRequest request)
    {
        string theirs = challenge.Nonce ?? "", mine = RegistrationCheck.NewNonce();
        byte[]? proof = _options.Token?.Prove(RegistrationProof.TokenChallenge(theirs, mine, _options.Identity.Thumbprint));
        return new RegistrationClaims
        {
            Challenge = theirs,
            Nonce = mine,
            Time = _options.TimeProvider.GetUtcNow().ToUnixTimeSeconds(),
            Gateway = challenge.Gateway,
            Certificate = _certificateHash is null ? null : Base64Url.EncodeToString(_certificateHash),
            TokenProof = proof is null ? null : Base64Url.EncodeToString(proof),
            Tunnel = TunnelSettingsReader.Write(Settings(), request),
        };
    }

    private TunnelSettings Settings() => _options.SendProxyProtocol == Protocols.ProxyHeaderVersion.None ? _options.Settings : _options.Settings with { OneClientPerChannel = true };

    private TunnelRequest Request(ControlMessage? last) => new()
    {
        Kind = _options.Destination.Kind.ToString().ToLowerInvariant(),
        HostName = _options.HostName,
        SessionName = _options.SessionName,
        Port = _options.RemotePort,
        LastName = last?.Port is null ? last?.Name : null,
        LastPort = last?.Port ?? 0,
        Destination = _options.Destination.ToString(),
    };

    private ControlMessage Accepted(ControlMessage message) => message.Type == ControlMessageType.Error ? throw Refusal(message) : message;

    private GatewayRefusalException Refusal(ControlMessage error)
    {
        ProxyErrorReason reason = Enum.TryParse(error.Reason, out ProxyErrorReason known) && Enum.IsDefined(known) && known != ProxyErrorReason.None ? known : ProxyErrorReason.Other;
        string words = string.Concat((error.Message ?? "refused without a word").Where(c => !char.IsControl(c)));
        return new GatewayRefusalException(new ProxyException(reason, ProxyStage.Request, $"gateway {_options.Gateway}", words), error.Fatal == true);
    }
}

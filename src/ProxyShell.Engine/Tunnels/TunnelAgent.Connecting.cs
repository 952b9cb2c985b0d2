using System.Globalization;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Tunnels;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels;

/// <summary>The loop that connects, registers, and does so again when the connection is lost.</summary>
public sealed partial class TunnelAgent
{
    // a session that ends in order sooner than this does not begin the next one at once, so that no mishap makes a fast loop of it
    private static readonly TimeSpan ShortLife = TimeSpan.FromSeconds(1);

    // after a session only code is left to run, no waiting for peers
    private static readonly TimeSpan AbortDeadline = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _hurry = new();
    // so that the gateway knows this one when it comes back sooner than it was missed
    private readonly string _instance = RegistrationCheck.NewNonce();
    private readonly GatewayDialer _dialer;
    private readonly ServiceJoiner _joiner;
    private readonly ReconnectBackOff _backOff;
    private Task _running = Task.CompletedTask;
    private DateTimeOffset _nextAttempt;
    private volatile AgentSession? _session;
    private volatile ControlMessage? _granted;

    /// <summary>Where the agent is in its life.</summary>
    public TunnelAgentState State { get; private set; }

    /// <summary>Why it is not connected, or was not the last time; null when it always was.</summary>
    public ProxyException? LastError { get; private set; }

    /// <summary>How often it has registered.</summary>
    public int Registrations { get; private set; }

    /// <summary>How it is in words, for example <c>connected</c> or <c>reconnecting in 4 s: gateway tunnel://127.0.0.1:4443: connection refused</c>.</summary>
    public string StatusMessage
    {
        get
        {
            lock (_gate)
            {
                bool wasRefused = State == TunnelAgentState.Stopped && LastError is not null && Registrations == 0;
                if (State != TunnelAgentState.Reconnecting) return State.ToString().ToLowerInvariant() + (wasRefused ? $": {LastError!.Message}" : "");
                double seconds = Math.Max(0, (_nextAttempt - _options.TimeProvider.GetUtcNow()).TotalSeconds);
                return string.Create(CultureInfo.InvariantCulture, $"reconnecting in {Math.Ceiling(seconds):0} s{(LastError is null ? "" : ": " + LastError.Message)}");
            }
        }
    }

    private async Task RunAsync()
    {
        await Task.Yield();
        while (!_stop.IsCancellationRequested)
        {
            long start = _options.TimeProvider.GetTimestamp();
            AttemptEnd end = await AttemptAsync().ConfigureAwait(false);
            if (_stop.IsCancellationRequested || State == TunnelAgentState.Stopping) break;
            if (end.IsRefusal && Registrations == 0 && !_started.Task.IsCompleted)
            {
                await EndAsync(end.Error).ConfigureAwait(false);
                _started.TrySetException(end.Error!);
                return;
            }
            await PauseAsync(end, _options.TimeProvider.GetElapsedTime(start)).ConfigureAwait(false);
        }
        _started.TrySetCanceled(CancellationToken.None);
    }

    private async ValueTask<AttemptEnd> AttemptAsync()
    {
        bool wasRegistered = false;
        AgentSession? session = null;
        try
        {
            if (!TryMoveTo(TunnelAgentState.Connecting)) return default;
            DuplexConnection connection = await _dialer.DialAsync(_stop.Token).ConfigureAwait(false);
            session = await AgentSession.StartAsync(connection, _options, _stop.Token).ConfigureAwait(false);
            ControlMessage granted = await RegisterAsync(session).ConfigureAwait(false);
            if (!TryNote(session, granted)) return default;
            wasRegistered = true;
            await session.ServeAsync(_joiner).ConfigureAwait(false);
            return new AttemptEnd(null, IsRefusal: false, wasRegistered);
        }
        catch (GatewayRefusalException e)
        {
            return new AttemptEnd(e.Error, e.IsFatal, wasRegistered);
        }
        catch (ProxyException e)
        {
            session?.Abort();
            return new AttemptEnd(e, IsHopeless(e), wasRegistered);
        }
        catch (OperationCanceledException)
        {
            session?.Abort();
            return default;
        }
        catch (Exception e)
        {
            session?.Abort();
            return new AttemptEnd(new ProxyException(ProxyErrorReason.Other, ProxyStage.None, "internal error", e.ToString(), e), IsRefusal: false, wasRegistered);
        }
        finally
        {
            await CloseAsync(session).ConfigureAwait(false);
        }
    }

    private async ValueTask<ControlMessage> RegisterAsync(AgentSession session)
    {
        using var limit = new CancellationTokenSource(_options.HandshakeTimeout, _options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stop.Token);
        string subject = $"gateway {_options.Gateway}";
        try
        {
            return await session.RegisterAsync(_instance, _granted, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
        {
            throw new ProxyException(ProxyErrorReason.TimedOut, ProxyStage.Request, subject, $"did not answer the registration within {_options.HandshakeTimeout.TotalSeconds:0.###} s");
        }
        catch (ProxyException e)
        {
            throw new ProxyException(e.Reason, ProxyStage.Request, subject, e.Detail, e);
        }
    }

    // false when it shall stop, so that a registration that comes just then is given up
    private bool TryNote(AgentSession session, ControlMessage granted)
    {
        if (granted is not { Name: not null, Url: not null }) throw new ProxyException(ProxyErrorReason.ProtocolError, ProxyStage.Request, $"gateway {_options.Gateway}", "does not say what it has registered");
        lock (_gate)
        {
            if (State == TunnelAgentState.Stopping) return false;
            (_session, _granted, State) = (session, granted, TunnelAgentState.Connected);
            Registrations++;
        }
        _backOff.Reset();
        _visitors.Write(ProxyEventKind.Started, $"{granted.Url} leads to {_options.Destination}");
        _started.TrySetResult();
        return true;
    }

    private bool TryMoveTo(TunnelAgentState state)
    {
        lock (_gate)
        {
            if (State == TunnelAgentState.Stopping) return false;
            State = state;
            return true;
        }
    }

    private async ValueTask CloseAsync(AgentSession? session)
    {
        _session = null;
        if (session is null) return;
        await session.DisposeAsync().ConfigureAwait(false);
        // their channels have failed with the session; those whose service is not reached yet need not wait for it
        foreach (ProxyConnection visitor in _visitors.ToList()) visitor.Abort(ProxyErrorReason.ConnectionClosed);
        await _visitors.WhenEmptyAsync().WaitAsync(AbortDeadline).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async ValueTask PauseAsync(AttemptEnd end, TimeSpan life)
    {
        bool isOrderly = end is { Error: null, WasRegistered: true } && life >= ShortLife;
        TimeSpan wait = isOrderly ? TimeSpan.Zero : end.IsRefusal ? _options.RefusedRetry : _backOff.Next();
        lock (_gate)
        {
            if (State == TunnelAgentState.Stopping) return;
            (State, LastError, _nextAttempt) = (TunnelAgentState.Reconnecting, end.Error ?? LastError, _options.TimeProvider.GetUtcNow() + wait);
        }
        string why = end.Error?.Message ?? "the gateway has left";
        _visitors.Write(ProxyEventKind.Warning, string.Create(CultureInfo.InvariantCulture, $"{why}; reconnecting in {wait.TotalSeconds:0.#} s"), end.Error?.Reason ?? ProxyErrorReason.ConnectionClosed);
        _started.TrySetResult();
        await Task.Delay(wait, _options.TimeProvider, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    // what another attempt would meet again
    private static bool IsHopeless(ProxyException e) =>
        e.Reason is ProxyErrorReason.TlsFailed or ProxyErrorReason.AuthenticationFailed or ProxyErrorReason.Forbidden or ProxyErrorReason.ProtocolError or ProxyErrorReason.Unsupported;
}

using System.Runtime.InteropServices;

namespace ProxyShell.Host.Running;

/// <summary>
/// SIGTERM and SIGINT (Ctrl+C), counted: the first asks for a graceful stop, the second for a stop at once. SIGHUP asks for the
/// configuration to be read again; on Windows, where it means that the console closes, it is a stop too.
/// </summary>
internal sealed class ServiceSignals : IDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _first = new();
    private readonly TaskCompletionSource _second = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _hangUp = new(0);
    private readonly PosixSignalRegistration[] _registrations;
    private readonly EventLog _log;

    public ServiceSignals(EventLog log)
    {
        _log = log;
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnStop),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, OnStop),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, OperatingSystem.IsWindows() ? OnStop : OnHangUp),
        ];
    }

    /// <summary>Cancelled by the first signal to stop.</summary>
    public CancellationToken Stopping => _first.Token;

    /// <summary>The next SIGHUP; several that come before anybody waits count as one. False when a signal to stop has come.</summary>
    public async Task<bool> HangUpAsync()
    {
        try
        {
            await _hangUp.WaitAsync(Stopping).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public Task SecondStopAsync() => _second.Task;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations) registration.Dispose();
        _first.Dispose();
        _hangUp.Dispose();
    }

    private void OnStop(PosixSignalContext context)
    {
        context.Cancel = true;
        lock (_gate)
        {
            if (_first.IsCancellationRequested)
            {
                if (_second.TrySetResult()) _log.Write(LogLevel.Info, $"{context.Signal} again: stopping at once");
                return;
            }
            _log.Write(LogLevel.Info, $"{context.Signal}: stopping; connections may finish, a second signal ends them at once");
            _ = _first.CancelAsync();
        }
    }

    private void OnHangUp(PosixSignalContext context)
    {
        context.Cancel = true;
        lock (_gate)
        {
            if (_hangUp.CurrentCount == 0) _hangUp.Release();
        }
    }
}

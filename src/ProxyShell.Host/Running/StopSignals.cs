using System.Runtime.InteropServices;

namespace ProxyShell.Host.Running;

/// <summary>SIGTERM and SIGINT (Ctrl+C), counted: the first asks for a graceful stop, the second for a stop at once.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _second = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PosixSignalRegistration[] _registrations;
    private readonly EventLog _log;

    public StopSignals(EventLog log)
    {
        _log = log;
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnStop),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, OnStop),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnHangUp),
        ];
    }

    public Task FirstAsync() => _first.Task;

    public Task SecondAsync() => _second.Task;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations) registration.Dispose();
    }

    private void OnStop(PosixSignalContext context)
    {
        context.Cancel = true;
        if (_first.TrySetResult()) _log.Write(LogLevel.Info, $"{context.Signal}: stopping; connections may finish, a second signal ends them at once");
        else if (_second.TrySetResult()) _log.Write(LogLevel.Info, $"{context.Signal} again: stopping at once");
    }

    private void OnHangUp(PosixSignalContext context)
    {
        context.Cancel = true;
        _log.Write(LogLevel.Warning, "SIGHUP: reading the configuration again is not supported yet; restart to apply changes");
    }
}

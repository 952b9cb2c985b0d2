using System.ComponentModel;
using System.Management.Automation;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Jobs;

/// <summary>The states of a job: Running until somebody stops it or its service ends, then Stopped or Failed.</summary>
public abstract partial class ProxyJob
{
    // a service ends within its grace and a few seconds more; who waits without a task waits no longer than that
    private static readonly TimeSpan DisposeDeadline = TimeSpan.FromSeconds(10);

    // held while a state is announced, so that Stopping never comes after the end; the announcements' handlers run under it
    private readonly Lock _states = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string _stopReason = "";

    private bool IsEnded => JobStateInfo.State is JobState.Stopped or JobState.Failed or JobState.Completed;

    /// <inheritdoc />
    public override void StopJob() => StopJob(force: false, reason: "");

    /// <summary>Stops the job and returns when it has ended.</summary>
    /// <param name="force">Aborts open connections at once instead of giving them the stop time-out to finish.</param>
    /// <param name="reason">Shown in the status message.</param>
    public override void StopJob(bool force, string reason) => StopAsync(Grace(force), reason).GetAwaiter().GetResult();

    /// <inheritdoc />
    public override void StopJobAsync() => StopJobAsync(force: false, reason: "");

    /// <inheritdoc />
    public override void StopJobAsync(bool force, string reason) => _ = StopAndTellAsync(Grace(force), reason);

    /// <summary>The service listens: the job runs from here on.</summary>
    internal void Begin()
    {
        SetJobState(JobState.Running);
        _ = WatchServiceAsync();
    }

    /// <summary>Stops the service within <paramref name="grace"/> (null: its own stop time-out); completes when the job has ended.</summary>
    internal Task StopAsync(TimeSpan? grace, string reason)
    {
        lock (_states)
        {
            if (JobStateInfo.State == JobState.Running)
            {
                _stopReason = reason ?? "";
                SetJobState(JobState.Stopping);
            }
        }
        if (!IsEnded) _ = StopServiceAsync(grace);
        return _ended.Task;
    }

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        if (disposing && !IsEnded) StopAsync(TimeSpan.Zero, "disposed").Wait(DisposeDeadline);
        base.Dispose(disposing);
    }

    private static TimeSpan? Grace(bool force) => force ? TimeSpan.Zero : null;

    // whoever called Stop-Job or Remove-Job waits for this event and would hang without it
    private async Task StopAndTellAsync(TimeSpan? grace, string reason)
    {
        Exception? fault = null;
        try
        {
            await Task.Yield();
            await StopAsync(grace, reason).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            fault = e;
        }
        finally
        {
            OnStopJobCompleted(new AsyncCompletedEventArgs(fault, cancelled: false, userState: null));
        }
    }

    private async Task StopServiceAsync(TimeSpan? grace)
    {
        try
        {
            await Service.StopAsync(grace).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            End(e);
        }
    }

    private async Task WatchServiceAsync()
    {
        try
        {
            await Service.Completion.ConfigureAwait(false);
            if (JobStateInfo.State == JobState.Stopping) End(null);
            else End(new ProxyException(ProxyErrorReason.Other, ProxyStage.Listen, Name, "the service ended without being told to"));
        }
        catch (Exception e)
        {
            End(e);
        }
    }

    private void End(Exception? failure)
    {
        try
        {
            lock (_states) Announce(failure);
        }
        catch (ObjectDisposedException)
        {
            // disposed before its service had ended: nobody is left to tell
        }
        _ended.TrySetResult();
    }

    private void Announce(Exception? failure)
    {
        if (IsEnded) return;
        if (failure is null) SetJobState(JobState.Stopped);
        else if (!FailedJobState.TrySet(this, failure)) SetJobState(JobState.Failed);
    }
}

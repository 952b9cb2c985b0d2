using System.ComponentModel;
using System.Management.Automation;

namespace ProxyShell.Jobs;

/// <summary>What a listener cannot do. The asynchronous forms tell through their events, as callers wait for those.</summary>
public abstract partial class ProxyJob
{
    /// <inheritdoc />
    public override void StartJob() => throw NotSupported("be started again: it runs from its creation; start a new one instead");

    /// <inheritdoc />
    public override void StartJobAsync() => OnStartJobCompleted(Refusal("be started again: it runs from its creation; start a new one instead"));

    /// <inheritdoc />
    public override void SuspendJob() => throw NotSupported("be suspended; stop it instead");

    /// <inheritdoc />
    public override void SuspendJob(bool force, string reason) => SuspendJob();

    /// <inheritdoc />
    public override void SuspendJobAsync() => OnSuspendJobCompleted(Refusal("be suspended; stop it instead"));

    /// <inheritdoc />
    public override void SuspendJobAsync(bool force, string reason) => SuspendJobAsync();

    /// <inheritdoc />
    public override void ResumeJob() => throw NotSupported("be resumed; start a new one instead");

    /// <inheritdoc />
    public override void ResumeJobAsync() => OnResumeJobCompleted(Refusal("be resumed; start a new one instead"));

    /// <inheritdoc />
    public override void UnblockJob() => throw NotSupported("be unblocked: it never waits for input");

    /// <inheritdoc />
    public override void UnblockJobAsync() => OnUnblockJobCompleted(Refusal("be unblocked: it never waits for input"));

    private PSNotSupportedException NotSupported(string what) => new($"The job '{Name}' ({PSJobTypeName}) cannot {what}.");

    private AsyncCompletedEventArgs Refusal(string what) => new(NotSupported(what), cancelled: false, userState: null);
}

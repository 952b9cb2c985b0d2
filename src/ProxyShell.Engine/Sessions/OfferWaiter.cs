namespace ProxyShell.Engine.Sessions;

/// <summary>Somebody who waits for an offer of a name, or of any (null).</summary>
internal sealed class OfferWaiter(string? name)
{
    public TaskCompletionSource<SessionChannel> Task { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool Wants(string offered) => name is null || name == offered;
}

namespace ProxyShell.Engine.Relaying;

/// <summary>A claim whose owner awaits it.</summary>
internal sealed class AwaitedClaim(Bandwidth bandwidth, TrafficDirection direction) : BandwidthClaim(bandwidth, direction)
{
    private readonly TaskCompletionSource _served = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Takes 1 to <paramref name="wanted"/> bytes; a claim is for one use.</summary>
    public async ValueTask<int> TakeAsync(int wanted, CancellationToken cancellationToken)
    {
        if (TryRenew(wanted)) return Bytes;
        try
        {
            await _served.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            GiveUp();
            throw;
        }
        TryRenew(wanted);
        return Bytes;
    }

    protected override void Wake() => _served.TrySetResult();
}

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>Somebody who is to hear, outside the lock, that a stream broke.</summary>
internal sealed class StreamBreak(StripedStream stream) : IWake
{
    public void Wake() => stream.Listener!.OnBroken(stream, stream.Failure!);
}

namespace ProxyShell.Engine.Sessions;

/// <summary>What a receiver has to tell the peer: so many bytes were taken, and the window's size (0: nothing about it).</summary>
internal readonly record struct Grant(long Bytes, long Window)
{
    public bool IsEmpty => Bytes == 0 && Window == 0;
}

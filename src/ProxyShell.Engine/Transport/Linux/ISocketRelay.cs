namespace ProxyShell.Engine.Transport.Linux;

/// <summary>What has taken over two connections: the loop tells it of readiness, and closers ask it to end.</summary>
internal interface ISocketRelay
{
    /// <summary>Called on the loop's thread.</summary>
    void OnReady(LinuxConnection connection, uint events);

    /// <summary>Called on any thread: the connection's owner wants it closed now.</summary>
    void OnAbort(LinuxConnection connection);
}

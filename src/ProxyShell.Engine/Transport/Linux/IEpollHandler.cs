namespace ProxyShell.Engine.Transport.Linux;

/// <summary>Something that an epoll loop tells about the readiness of a descriptor; called on the loop's thread.</summary>
internal interface IEpollHandler
{
    void OnReady(EpollLoop loop, uint events);

    /// <summary>Told when <see cref="OnReady"/> threw, which is a defect of the handler: it ends what it was doing, the loop goes on.</summary>
    void OnFault(Exception error);
}

namespace ProxyShell.Engine.Transport.Linux;

/// <summary>Something to do on a loop's thread; it must not block or throw.</summary>
internal interface ILoopWork
{
    void Run(EpollLoop loop);

    /// <summary>Told when <see cref="Run"/> threw all the same.</summary>
    void OnFault(Exception error);
}

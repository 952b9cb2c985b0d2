using System.Runtime.CompilerServices;

namespace ProxyShell.Engine.Transport.Linux;

/// <summary>
/// Lets the others have their turn: who awaits it goes on behind the work that waits, on the thread of the loop, or in the pool when there is none.
/// </summary>
internal readonly struct LoopTurn(EpollLoop? loop) : ICriticalNotifyCompletion
{
    public bool IsCompleted => false;

    public LoopTurn GetAwaiter() => this;

    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    public void UnsafeOnCompleted(Action continuation)
    {
        if (loop is null) ThreadPool.UnsafeQueueUserWorkItem(static action => action(), continuation, preferLocal: false);
        else loop.Post(new Continuation(continuation));
    }

    public void GetResult()
    {
    }

    private sealed class Continuation(Action action) : ILoopWork
    {
        public void Run(EpollLoop loop) => action();

        // what an async method throws goes to its task, and never comes here
        public void OnFault(Exception error)
        {
        }
    }
}

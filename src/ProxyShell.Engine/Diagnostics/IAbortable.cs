namespace ProxyShell.Engine.Diagnostics;

/// <summary>Something that can be ended at once from any thread, any number of times.</summary>
public interface IAbortable
{
    /// <summary>Ends it without waiting for anything.</summary>
    void Abort();
}

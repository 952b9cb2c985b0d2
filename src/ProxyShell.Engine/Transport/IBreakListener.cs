using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Transport;

/// <summary>Who wants to hear that a connection broke though nobody reads or writes it just then.</summary>
internal interface IBreakListener
{
    /// <summary>Called once, on any thread.</summary>
    void OnBroken(DuplexConnection broken, ProxyException why);
}

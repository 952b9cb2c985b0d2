using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Jobs;

/// <summary>What <see cref="ProxyJob.EventWritten"/> hands out: PowerShell fills <c>$EventArgs</c> only with real event arguments.</summary>
public sealed class ProxyEventArgs : EventArgs
{
    internal ProxyEventArgs(ProxyEvent item) => ProxyEvent = item;

    /// <summary>What happened.</summary>
    public ProxyEvent ProxyEvent { get; }
}

using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Chains.Pool;

/// <summary>A service that uses sessions of the pool: it is told what becomes of them, and a session that no service uses any more is closed.</summary>
internal sealed class SessionUser(string name, Action<string, ProxyErrorReason> report)
{
    public string Name => name;

    public void Report(string message, ProxyErrorReason reason) => report(message, reason);
}

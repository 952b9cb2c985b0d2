using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Tunnels;

/// <summary>The errors of registrations.</summary>
internal static class Refusals
{
    /// <summary>The gateway refuses for this reason.</summary>
    public static ProxyException Of(ProxyErrorReason reason, string detail, Exception? inner = null) => new(reason, ProxyStage.Request, "agent", detail, inner) { Side = ProxySide.Client };
}

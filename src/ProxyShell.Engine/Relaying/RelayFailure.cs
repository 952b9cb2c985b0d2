using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Relaying;

/// <summary>Says which side of a relay failed.</summary>
internal static class RelayFailure
{
    public static ProxyException On(ProxySide side, Exception error)
    {
        ProxyException? known = error as ProxyException;
        // a session that broke is named by who knows which hop it led to
        string subject = known is { HopNumber: not null, Subject: { } hop } ? hop : side == ProxySide.Client ? "client side" : "destination side";
        return new ProxyException(known?.Reason ?? ProxyErrorReason.Other, ProxyStage.Relay, subject, known?.Detail ?? error.Message, error) { Side = side, HopNumber = known?.HopNumber };
    }
}

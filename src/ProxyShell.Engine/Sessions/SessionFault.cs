using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Sessions;

/// <summary>The errors of sessions and channels, and how they travel: as "reason: text" in a termination.</summary>
internal static class SessionFault
{
    /// <summary>The peer broke the protocol.</summary>
    public static ProxyException Protocol(string what) => new(ProxyErrorReason.ProtocolError, ProxyStage.Relay, null, what);

    public static ProxyException Of(ProxyErrorReason reason, string what) => new(reason, ProxyStage.Relay, null, what);

    /// <summary>What a peer is told of an error.</summary>
    public static string Text(ProxyException error) => $"{error.Reason}: {error.Detail}";

    /// <summary>The error that a peer told of, or the reason and words for one that said nothing. Peers of other makes have names of their own there.</summary>
    public static ProxyException FromPeer(string? text, ProxyErrorReason untold, string words)
    {
        if (text is null) return Of(untold, words);
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon > 0 && char.IsAsciiLetter(text[0]) && Enum.TryParse(text[..colon], out ProxyErrorReason reason) && reason != ProxyErrorReason.None)
            return Of(reason, text[(colon + 1)..].Trim());
        return Of(untold, $"{words}: {text}");
    }
}

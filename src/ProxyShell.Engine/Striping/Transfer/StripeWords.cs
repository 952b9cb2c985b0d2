using System.Text;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Striping;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>Reasons in words, as they travel.</summary>
internal static class StripeWords
{
    /// <summary>What the other end is told, cut to what a frame holds.</summary>
    public static byte[] Of(ProxyException error)
    {
        string text = error.Subject is null ? error.Detail : error.Message;
        while (Encoding.UTF8.GetByteCount(text) > StripeFrameCodec.MaxWords) text = text[..^8];
        return Encoding.UTF8.GetBytes(text);
    }

    /// <summary>The error that the other end told of.</summary>
    public static ProxyException Read(ProxyErrorReason reason, ReadOnlySpan<byte> words)
    {
        reason = Enum.IsDefined(reason) && reason != ProxyErrorReason.None ? reason : ProxyErrorReason.Other;
        // foreign text: what is not printable stays out of logs
        string text = string.Concat(Encoding.UTF8.GetString(words).Where(c => !char.IsControl(c)));
        return new ProxyException(reason, ProxyStage.Relay, null, text.Length > 0 ? text : null);
    }
}

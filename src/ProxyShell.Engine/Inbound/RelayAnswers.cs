using System.Globalization;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;

namespace ProxyShell.Engine.Inbound;

/// <summary>What a server answers to relay requests that it refuses or cannot fulfil.</summary>
internal static class RelayAnswers
{
    /// <summary>The server refuses by itself.</summary>
    public static RelayResponse Refuse(UInt128 nonce, ProxyErrorReason reason, string message) =>
        new() { Nonce = nonce, Salt = RelayResponseCodec.NewSalt(), Reason = reason, Stage = ProxyStage.Request, Message = message };

    /// <summary>The way to the next address failed.</summary>
    public static RelayResponse Explain(RelayRequest request, ProxyException e, string chain, TimeSpan connectTimeout)
    {
        string message = e.Reason switch
        {
            ProxyErrorReason.TimedOut when e.Stage == ProxyStage.Dial => string.Create(CultureInfo.InvariantCulture, $"no connection within {connectTimeout.TotalSeconds:0.###} s"),
            ProxyErrorReason.Forbidden => $"{request.Next} is forbidden by its policy",
            _ => chain != "direct" ? e.Message : e.Detail,
        };
        ProxyStage stage = e.Stage is ProxyStage.Request ? ProxyStage.Dial : e.Stage;
        return new RelayResponse { Nonce = request.Nonce, Salt = RelayResponseCodec.NewSalt(), Reason = Told(e.Reason), Stage = stage, Message = message };
    }

    /// <summary>The reason as it may be told: those from 128 on are this machine's own affair.</summary>
    public static ProxyErrorReason Told(ProxyErrorReason reason) => reason <= ProxyErrorReason.Other ? reason : ProxyErrorReason.Other;
}

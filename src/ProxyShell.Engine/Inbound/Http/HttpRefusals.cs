using System.Globalization;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Http;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Inbound.Http;

/// <summary>Chooses the words with which a client is told what went wrong (docs/protocols/http.md, "Statuses").</summary>
internal static class HttpRefusals
{
    /// <summary>The refusal for a failure to reach a destination or to get its response.</summary>
    public static HttpRefusal For(ProxyException e, ServiceOptions options) => new(Status(e.Reason), Sentence(e, options)) { Reason = e.Reason };

    /// <summary>Tells a client; the connection is closed after.</summary>
    public static Task TellAsync(ServiceContext context, ServedConnection served, HttpRefusal refusal, HttpRequestHead? request) =>
        context.TellAsync(served, refusal.Write(context.Time.GetUtcNow(), toHead: request?.Method == "HEAD"));

    /// <summary>Tells a client what it did wrong; returns the error to throw.</summary>
    public static async Task<ProxyException> RefuseAsync(
        ServiceContext context, ServedConnection served, ProxyErrorReason reason, HttpRefusal refusal, HttpRequestHead? request)
    {
        await TellAsync(context, served, refusal, request).ConfigureAwait(false);
        return ServiceContext.Refused(served, reason, refusal.Sentence);
    }

    /// <summary>Tells a client that its head is none; returns the error to throw.</summary>
    public static Task<ProxyException> RefuseAsync(ServiceContext context, ServedConnection served, HttpFault fault) =>
        RefuseAsync(context, served, ReasonOf(fault), new HttpRefusal(fault.Status, fault.Detail), null);

    /// <summary>The reason that goes on record for a head that is none.</summary>
    public static ProxyErrorReason ReasonOf(HttpFault fault) => fault.Status == 501 ? ProxyErrorReason.Unsupported : ProxyErrorReason.ProtocolError;

    private static int Status(ProxyErrorReason reason) => reason switch
    {
        ProxyErrorReason.Forbidden => 403,
        ProxyErrorReason.TimedOut => 504,
        ProxyErrorReason.LimitExceeded or ProxyErrorReason.ResourceExhausted or ProxyErrorReason.Stopping => 503,
        _ => 502,
    };

    private static string Sentence(ProxyException e, ServiceOptions options) => e switch
    {
        { Reason: ProxyErrorReason.Forbidden, HopNumber: null } => $"{e.Subject} is forbidden by the policy of this proxy",
        { Reason: ProxyErrorReason.TimedOut, Stage: ProxyStage.Dial, HopNumber: null } when e.Detail == "timed out" =>
            string.Create(CultureInfo.InvariantCulture, $"{e.Subject}: no connection within {options.ConnectTimeout.TotalSeconds:0.###} s"),
        _ => e.Message,
    };
}

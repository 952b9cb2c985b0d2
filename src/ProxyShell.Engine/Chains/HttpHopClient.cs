using System.Globalization;
using System.Text;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Http;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>Speaks HTTP CONNECT (RFC 9110 §9.3.6) with a hop.</summary>
internal sealed class HttpHopClient : IHopClient
{
    public static HttpHopClient Instance { get; } = new();

    public async ValueTask<DuplexConnection> ConnectAsync(DuplexConnection connection, ProxyHop hop, HostEndpoint next, CancellationToken cancellationToken)
    {
        await SendAsync(connection, Request(hop, next), cancellationToken).ConfigureAwait(false);
        using var reader = new HeaderReader(connection, HttpHead.MaxLength);
        HttpResponseHead response = await HttpResponseReader.ReadFinalAsync(reader, "CONNECT", cancellationToken).ConfigureAwait(false);
        return response.Status is >= 200 and < 300 ? connection : throw Refusal(response, hop);
    }

    private static async ValueTask SendAsync(DuplexConnection connection, byte[] request, CancellationToken cancellationToken)
    {
        try
        {
            await connection.WriteAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (ProxyException e)
        {
            throw new ProxyException(e.Reason, ProxyStage.Request, null, e.Detail, e);
        }
    }

    private static byte[] Request(ProxyHop hop, HostEndpoint next)
    {
        string target = Target(next);
        var text = new StringBuilder(256);
        text.Append(CultureInfo.InvariantCulture, $"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
        if (hop.Credential is { } credential) text.Append(CultureInfo.InvariantCulture, $"Proxy-Authorization: {HttpBasic.Write(credential)}\r\n");
        return Encoding.ASCII.GetBytes(text.Append("\r\n").ToString());
    }

    // a name in another script travels in its ASCII form (RFC 5890 §2.3.2.1)
    private static string Target(HostEndpoint next)
    {
        if (Ascii.IsValid(next.Host)) return next.ToString();
        try
        {
            return new HostEndpoint(new IdnMapping().GetAscii(next.Host), next.Port).ToString();
        }
        catch (ArgumentException e)
        {
            throw new ProxyException(ProxyErrorReason.NameNotFound, ProxyStage.Resolve, null, $"name '{next.Host}' has no ASCII form", e);
        }
    }

    private static ProxyException Refusal(HttpResponseHead response, ProxyHop hop)
    {
        (ProxyErrorReason reason, ProxyStage stage) = response.Status switch
        {
            401 or 407 => (ProxyErrorReason.AuthenticationFailed, ProxyStage.Request),
            403 => (ProxyErrorReason.Forbidden, ProxyStage.Policy),
            502 or 503 or 504 => Unreached(response),
            _ => (ProxyErrorReason.ProtocolError, ProxyStage.Request),
        };
        string detail = reason != ProxyErrorReason.AuthenticationFailed ? $"answered {response.Summary}"
            : hop.Credential is null ? $"wants a user name and password ({response.Summary})"
            : $"did not accept the user name and password ({response.Summary})";
        return new ProxyException(reason, stage, null, detail);
    }

    // what Proxy-Status (RFC 9209) says is the true reason; without it the status and the words are all there is to go by
    private static (ProxyErrorReason Reason, ProxyStage Stage) Unreached(HttpResponseHead response)
    {
        int told = response.Fields.Find(HttpFieldKind.ProxyStatus);
        ProxyErrorReason reason = told < 0 ? ProxyErrorReason.None : HttpProxyStatus.Read(response.Fields.Value(told));
        if (reason == ProxyErrorReason.None)
        {
            reason = response.Status == 504 ? ProxyErrorReason.TimedOut
                : response.Summary.Contains("refused", StringComparison.OrdinalIgnoreCase) ? ProxyErrorReason.ConnectionRefused
                : ProxyErrorReason.Other;
        }
        return reason switch
        {
            ProxyErrorReason.LimitExceeded => (reason, ProxyStage.Request),
            ProxyErrorReason.Forbidden => (reason, ProxyStage.Policy),
            ProxyErrorReason.NameNotFound => (reason, ProxyStage.Resolve),
            _ => (reason, ProxyStage.Dial),
        };
    }
}

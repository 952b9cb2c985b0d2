using System.Globalization;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Http;

namespace ProxyShell.Engine.Tunnels.Http;

/// <summary>What the public is told when a request does not reach its service (docs/tunnels-http.md, "Failures"): each with its word in ProxyShell-Reason.</summary>
internal static class TunnelRefusals
{
    public static HttpRefusal UnknownHost(string host) =>
        Of(404, "unknown-host", host.Length == 0 ? "the request names no host" : $"no tunnel serves the host {host}");

    public static HttpRefusal AgentGone(string host) => Of(503, "agent-gone", $"the agent of {host} is not connected") with { Demand = "Retry-After: 5" };

    public static HttpRefusal Busy(string host) => Of(503, "tunnel-busy", $"{host} has as many requests under way as it may") with { Demand = "Retry-After: 1" };

    public static HttpRefusal NoAnswer(string host) => Of(504, "no-answer", $"the service of {host} did not answer in time");

    public static HttpRefusal ServiceDown(string host, ProxyErrorReason reason) =>
        Of(502, "service-down", $"the service of {host} cannot be reached: {ProxyErrorText.Describe(reason)}");

    public static HttpRefusal ServiceFailed(string host, ProxyErrorReason reason) => Of(
        502, "service-failed", reason == ProxyErrorReason.ProtocolError ? $"the service of {host} gave an answer that is not valid" : $"the service of {host} broke off before it answered");

    public static HttpRefusal TooLarge(long limit) => Of(413, "body-too-large", $"the body is over the limit of {limit} bytes");

    public static HttpRefusal TooMany(string what, TimeSpan wait) =>
        Of(429, "too-many-requests", $"{what} has had as many requests as it may for now") with
        {
            Demand = string.Create(CultureInfo.InvariantCulture, $"Retry-After: {Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds))}"),
        };

    public static HttpRefusal Credentials(bool given) =>
        Of(401, given ? "credentials-wrong" : "credentials-required", given ? "the user name or password is wrong" : "a user name and password are required") with
        {
            Demand = "WWW-Authenticate: " + HttpBasic.Challenge,
        };

    public static HttpRefusal Source(string host) => Of(403, "source-not-allowed", $"{host} is not for clients from this address");

    public static HttpRefusal TooManyConnections => Of(503, "too-many-connections", "this gateway has too many connections");

    public static HttpRefusal NoProxy => Of(501, "no-proxy", "this is a gateway to certain hosts, not a proxy: CONNECT is not served");

    public static HttpRefusal EndsHere(string method) => Of(501, "max-forwards", $"Max-Forwards is 0, and this gateway answers no {method} of its own");

    public static HttpRefusal NoTls => Of(400, "plain-http", "this port speaks TLS: ask with https://");

    /// <summary>For a head that is none, or a body that is not what its head says.</summary>
    public static HttpRefusal Bad(HttpFault fault) => Of(
        fault.Status, fault.Status switch { 431 => "head-too-large", 414 => "target-too-long", 501 => "not-implemented", _ => "bad-request" }, fault.Detail);

    private static HttpRefusal Of(int status, string token, string sentence) => new(status, sentence) { Token = token };
}

using System.Text;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Protocols.Http;

/// <summary>The error parameter of Proxy-Status (RFC 9209 §2.3), which says why exactly a proxy could not do what was asked.</summary>
internal static class HttpProxyStatus
{
    private static ReadOnlySpan<byte> Parameter => "error="u8;

    /// <summary>The error type for a reason.</summary>
    public static string Error(ProxyErrorReason reason) => reason switch
    {
        ProxyErrorReason.ConnectionRefused => "connection_refused",
        ProxyErrorReason.HostUnreachable or ProxyErrorReason.NetworkUnreachable => "destination_ip_unroutable",
        ProxyErrorReason.NameNotFound => "dns_error",
        ProxyErrorReason.TimedOut => "connection_timeout",
        ProxyErrorReason.Forbidden => "http_request_denied",
        ProxyErrorReason.LimitExceeded => "connection_limit_reached",
        ProxyErrorReason.TlsFailed => "tls_protocol_error",
        ProxyErrorReason.ConnectionReset or ProxyErrorReason.ConnectionClosed => "connection_terminated",
        ProxyErrorReason.AuthenticationFailed => "proxy_configuration_error",
        ProxyErrorReason.ProtocolError => "http_protocol_error",
        _ => "proxy_internal_error",
    };

    /// <summary>The reason that the first error type stands for; None when there is none or it says nothing to us.</summary>
    public static ProxyErrorReason Read(ReadOnlySpan<byte> value)
    {
        int at = value.IndexOf(Parameter);
        if (at < 0) return ProxyErrorReason.None;
        ReadOnlySpan<byte> rest = value[(at + Parameter.Length)..];
        int end = rest.IndexOfAny((byte)';', (byte)',', (byte)' ');
        return Encoding.ASCII.GetString(end < 0 ? rest : rest[..end]) switch
        {
            "connection_refused" => ProxyErrorReason.ConnectionRefused,
            "destination_ip_unroutable" or "destination_unavailable" => ProxyErrorReason.HostUnreachable,
            "dns_error" or "dns_timeout" or "destination_not_found" => ProxyErrorReason.NameNotFound,
            "connection_timeout" => ProxyErrorReason.TimedOut,
            "http_request_denied" or "destination_ip_prohibited" => ProxyErrorReason.Forbidden,
            "connection_limit_reached" => ProxyErrorReason.LimitExceeded,
            "tls_protocol_error" or "tls_certificate_error" or "tls_alert_received" => ProxyErrorReason.TlsFailed,
            "connection_terminated" => ProxyErrorReason.ConnectionReset,
            _ => ProxyErrorReason.None,
        };
    }
}

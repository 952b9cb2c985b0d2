namespace ProxyShell.Engine.Diagnostics;

/// <summary>The words for each <see cref="ProxyErrorReason"/>, used in messages, events and responses.</summary>
public static class ProxyErrorText
{
    /// <summary>A short lower-case phrase without a full stop, such as "connection refused".</summary>
    public static string Describe(ProxyErrorReason reason) => reason switch
    {
        ProxyErrorReason.None => "ok",
        ProxyErrorReason.ConnectionRefused => "connection refused",
        ProxyErrorReason.HostUnreachable => "host unreachable",
        ProxyErrorReason.NetworkUnreachable => "network unreachable",
        ProxyErrorReason.NameNotFound => "name not found",
        ProxyErrorReason.TimedOut => "timed out",
        ProxyErrorReason.Forbidden => "destination forbidden by policy",
        ProxyErrorReason.AuthenticationFailed => "key not accepted",
        ProxyErrorReason.Replayed => "replayed header",
        ProxyErrorReason.ClockSkew => "clock differs too much",
        ProxyErrorReason.ProtocolError => "protocol error",
        ProxyErrorReason.Unsupported => "not supported",
        ProxyErrorReason.LimitExceeded => "too many connections",
        ProxyErrorReason.TlsFailed => "TLS handshake failed",
        ProxyErrorReason.ConnectionReset => "connection reset",
        ProxyErrorReason.Stopping => "the service is stopping",
        ProxyErrorReason.ResourceExhausted => "out of descriptors, ports or memory",
        ProxyErrorReason.ConnectionClosed => "connection closed before the exchange was complete",
        ProxyErrorReason.IdleTimeout => "idle limit reached",
        ProxyErrorReason.Aborted => "stopped by the operator",
        ProxyErrorReason.AddressInUse => "address already in use",
        ProxyErrorReason.AddressNotAvailable => "address not available",
        ProxyErrorReason.ClientNotAdmitted => "client address not admitted",
        _ => "failed",
    };
}

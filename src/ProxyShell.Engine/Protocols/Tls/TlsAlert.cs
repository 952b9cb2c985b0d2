namespace ProxyShell.Engine.Protocols.Tls;

/// <summary>Alerts (RFC 8446 §6) for clients with whom no TLS is spoken.</summary>
internal static class TlsAlert
{
    /// <summary>Nobody here has the name that the client gives: fatal unrecognized_name (RFC 6066 §3).</summary>
    public static ReadOnlyMemory<byte> UnrecognizedName { get; } = new byte[] { 21, 3, 3, 0, 2, 2, 112 };
}

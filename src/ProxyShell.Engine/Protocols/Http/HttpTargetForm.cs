namespace ProxyShell.Engine.Protocols.Http;

/// <summary>The forms of a request target (RFC 9112 §3.2).</summary>
internal enum HttpTargetForm : byte
{
    /// <summary>A path: what a web server is asked.</summary>
    Origin,

    /// <summary>A whole <c>http:</c> URI: what a forward proxy is asked.</summary>
    Absolute,

    /// <summary>Host and port: CONNECT.</summary>
    Authority,

    /// <summary><c>*</c>: OPTIONS about the server itself.</summary>
    Asterisk,
}

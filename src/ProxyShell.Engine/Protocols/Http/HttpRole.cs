namespace ProxyShell.Engine.Protocols.Http;

/// <summary>As what requests are read.</summary>
internal enum HttpRole
{
    /// <summary>A forward proxy: clients name the place to go to.</summary>
    Proxy,

    /// <summary>A gateway: to clients it is the web server itself.</summary>
    Gateway,
}

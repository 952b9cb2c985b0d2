namespace ProxyShell.Engine.Protocols;

/// <summary>Whether and how a destination is told who the client is: the PROXY protocol (docs/protocols/proxy-protocol.md).</summary>
public enum ProxyHeaderVersion
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>In a line of text.</summary>
    V1,

    /// <summary>In a binary header.</summary>
    V2,
}

namespace ProxyShell.Engine.Striping;

/// <summary>What passes over a stream of a striped pipe.</summary>
internal enum StreamKind
{
    /// <summary>The bytes of a TCP connection.</summary>
    Bytes = 0,

    /// <summary>Datagrams, in the framing of docs/protocols/datagram-framing.md.</summary>
    Datagrams = 1,
}

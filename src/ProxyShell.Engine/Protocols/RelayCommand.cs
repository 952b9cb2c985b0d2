namespace ProxyShell.Engine.Protocols;

/// <summary>What a relay request asks for (docs/protocols/relay.md).</summary>
internal enum RelayCommand : byte
{
    /// <summary>Connect to the next address and relay bytes.</summary>
    Connect = 1,

    /// <summary>Answer, then echo what comes.</summary>
    Probe = 2,

    /// <summary>Only in datagrams: send what follows the header to the next address, and what comes back with an answer before it.</summary>
    Datagram = 3,

    /// <summary>Carry datagrams to the next address, framed in the stream that the header came in.</summary>
    DatagramStream = 4,

    /// <summary>Answer, then begin a session on the connection, each channel of which is served as a connection of its own.</summary>
    Session = 5,
}

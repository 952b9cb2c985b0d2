namespace ProxyShell.Arguments;

/// <summary>What the clients of a striped pipe speak.</summary>
public enum PipeProtocol
{
    /// <summary>Connections.</summary>
    Tcp,

    /// <summary>Datagrams.</summary>
    Udp,
}

namespace ProxyShell.Engine.Diagnostics;

/// <summary>Where a connection is in its life.</summary>
public enum ConnectionState : byte
{
    /// <summary>Accepted; its request is being read.</summary>
    Accepted,

    /// <summary>The way to the destination is being set up.</summary>
    Connecting,

    /// <summary>Bytes are relayed.</summary>
    Open,

    /// <summary>Ended normally.</summary>
    Closed,

    /// <summary>Ended by an error; <see cref="ProxyConnection.LastError"/> tells which.</summary>
    Failed,
}

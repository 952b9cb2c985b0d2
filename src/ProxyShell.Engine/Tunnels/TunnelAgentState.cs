namespace ProxyShell.Engine.Tunnels;

/// <summary>Where an agent is in its life.</summary>
public enum TunnelAgentState
{
    /// <summary>Made, not yet started.</summary>
    Created,

    /// <summary>Connecting to the gateway, or registering there.</summary>
    Connecting,

    /// <summary>Registered: the public reaches the service.</summary>
    Connected,

    /// <summary>Waiting for the next attempt.</summary>
    Reconnecting,

    /// <summary>Taking no new visitors; those that are there are given time.</summary>
    Stopping,

    /// <summary>Ended.</summary>
    Stopped,
}

namespace ProxyShell.Engine.Serving;

/// <summary>Where a service is in its life.</summary>
public enum ServiceState
{
    /// <summary>Made, not yet listening.</summary>
    Created,

    /// <summary>Listening.</summary>
    Running,

    /// <summary>No longer listening; open connections are given time to finish.</summary>
    Stopping,

    /// <summary>Ended; nothing of it is left.</summary>
    Stopped,
}

namespace ProxyShell.Host.Running;

/// <summary>How much a log line matters.</summary>
internal enum LogLevel
{
    /// <summary>Each opened and closed connection.</summary>
    Debug,

    /// <summary>Starts and stops.</summary>
    Info,

    /// <summary>Failed and refused connections, and trouble of a service.</summary>
    Warning,

    /// <summary>Only what ends the process.</summary>
    Error,
}

namespace ProxyShell.Engine.Diagnostics;

/// <summary>What was being done when something failed; the values travel in relay responses.</summary>
public enum ProxyStage : byte
{
    /// <summary>Not told.</summary>
    None = 0,

    /// <summary>Reading or checking a request header; the hop itself refused.</summary>
    Request = 1,

    /// <summary>Checking the destination policy.</summary>
    Policy = 2,

    /// <summary>Resolving a name.</summary>
    Resolve = 3,

    /// <summary>Connecting to the next address.</summary>
    Dial = 4,

    /// <summary>The TLS handshake with the next address.</summary>
    Tls = 5,

    /// <summary>Relaying, after set-up.</summary>
    Relay = 6,

    /// <summary>Binding a local address.</summary>
    Listen = 7,
}

namespace ProxyShell.Engine.Protocols.Tunnels;

/// <summary>The types of control messages (docs/protocols/tunnel.md).</summary>
internal static class ControlMessageType
{
    /// <summary>Agent: the first word, with the version it speaks.</summary>
    public const string Hello = "hello";

    /// <summary>Gateway: what the agent has to sign.</summary>
    public const string Challenge = "challenge";

    /// <summary>Agent: who it is and what it wants, signed.</summary>
    public const string Register = "register";

    /// <summary>Gateway: what the agent was given.</summary>
    public const string Registered = "registered";

    /// <summary>Either: are you there?</summary>
    public const string Ping = "ping";

    /// <summary>Either: the answer.</summary>
    public const string Pong = "pong";

    /// <summary>Agent: no new work, please. Gateway: there will be none.</summary>
    public const string Drain = "drain";

    /// <summary>Gateway: no, and why. The session ends.</summary>
    public const string Error = "error";

    /// <summary>Either: I am leaving. No message follows.</summary>
    public const string Bye = "bye";
}

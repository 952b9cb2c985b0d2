namespace ProxyShell.Engine.Striping;

/// <summary>What the two ends of a striped pipe speak with each other.</summary>
public enum StripedPipeFraming
{
    /// <summary>Frames over several connections that carry all streams together (docs/protocols/striping.md).</summary>
    Stripe,

    /// <summary>Messages over one connection for each client, as tcp-striper speaks them (docs/protocols/datagram-framing.md).</summary>
    Datagram,
}

namespace ProxyShell.Engine.Protocols.Http;

/// <summary>What a forward proxy makes of heads: Host is made from the target (RFC 9112 §3.2.2), and Via tells both sides of it.</summary>
internal sealed class HttpForwarding : HttpRewriting
{
    public static HttpForwarding Instance { get; } = new();

    protected override bool KeepsUpstream => false;

    protected override bool TellsWay => true;

    protected override void AddHost(ref HttpHeadWriter writer, HttpRequestHead head) => writer.Field("Host"u8, head.Authority);
}

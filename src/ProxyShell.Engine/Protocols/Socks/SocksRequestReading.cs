namespace ProxyShell.Engine.Protocols.Socks;

/// <summary>What a server made of a request: the request, or the code to refuse it with and why.</summary>
internal readonly record struct SocksRequestReading(SocksRequest Request, SocksReplyCode Refusal, string Fault)
{
    public static SocksRequestReading Of(SocksRequest request) => new(request, SocksReplyCode.Succeeded, "");

    public static SocksRequestReading Refuse(SocksReplyCode code, string fault) => new(default, code, fault);
}

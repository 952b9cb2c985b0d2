namespace ProxyShell.Engine.Protocols.Http;

/// <summary>What is wrong with a message: the status to answer a request with, and one clause that says it.</summary>
internal sealed record HttpFault(int Status, string Detail)
{
    public static HttpFault Bad(string detail) => new(400, detail);
}

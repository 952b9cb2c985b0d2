namespace ProxyShell.Engine.Protocols.Http;

/// <summary>How a message's body is framed; the length is that of <see cref="HttpBodyKind.Length"/>.</summary>
internal readonly record struct HttpBody(HttpBodyKind Kind, long Length = 0)
{
    public static HttpBody None => new(HttpBodyKind.None);

    public static HttpBody OfLength(long length) => length == 0 ? None : new HttpBody(HttpBodyKind.Length, length);
}

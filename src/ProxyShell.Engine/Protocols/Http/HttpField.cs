namespace ProxyShell.Engine.Protocols.Http;

/// <summary>One field line, as places in the bytes of its head.</summary>
internal readonly record struct HttpField(HttpFieldKind Kind, int NameStart, int NameLength, int ValueStart, int ValueLength);

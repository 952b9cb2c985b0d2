using System.Globalization;
using System.Text;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Protocols.Http;

/// <summary>A proxy's own last word to a client: a status, and one sentence that names the party at fault, as reason phrase and as body.</summary>
internal sealed record HttpRefusal(int Status, string Sentence)
{
    private const int MaxSentence = 300;

    /// <summary>Why, for Proxy-Status; None when the client itself is at fault.</summary>
    public ProxyErrorReason Reason { get; init; }

    /// <summary>A field line that says what would be accepted, or null.</summary>
    public string? Demand { get; init; }

    /// <summary>A word for programs, sent as ProxyShell-Reason: then the sentence stands in the body only. Null for none.</summary>
    public string? Token { get; init; }

    /// <summary>Whether the body is a JSON object instead of text.</summary>
    public bool AsJson { get; init; }

    /// <summary>Whether the connection is closed after it.</summary>
    public bool Closes { get; init; } = true;

    /// <summary>Writes the whole response; one to HEAD has no body.</summary>
    public byte[] Write(DateTimeOffset now, bool toHead)
    {
        string sentence = HttpText.Printable(Sentence, MaxSentence);
        var text = new StringBuilder();
        string body = AsJson ? Json(sentence) : sentence + "\n";
        text.Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {Status} {Phrase(Status)}{(Token is null ? ": " + sentence : "")}\r\n");
        text.Append(CultureInfo.InvariantCulture, $"Date: {now:R}\r\n");
        if (Demand is not null) text.Append(CultureInfo.InvariantCulture, $"{Demand}\r\n");
        if (Reason != ProxyErrorReason.None) text.Append(CultureInfo.InvariantCulture, $"Proxy-Status: proxyshell; error={HttpProxyStatus.Error(Reason)}\r\n");
        if (Token is not null) text.Append(CultureInfo.InvariantCulture, $"ProxyShell-Reason: {Token}\r\nCache-Control: no-store\r\n");
        text.Append(CultureInfo.InvariantCulture, $"Content-Type: {(AsJson ? "application/json" : "text/plain; charset=utf-8")}\r\nContent-Length: {body.Length}\r\n");
        text.Append(Closes ? "Connection: close\r\n\r\n" : "\r\n");
        if (!toHead) text.Append(body);
        return Encoding.ASCII.GetBytes(text.ToString());
    }

    private string Json(string sentence) => string.Create(
        CultureInfo.InvariantCulture,
        $"{{\"status\":{Status},\"reason\":\"{Token}\",\"message\":\"{sentence.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"}}\n");

    // RFC 9110 §15
    private static string Phrase(int status) => status switch
    {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        413 => "Content Too Large",
        414 => "URI Too Long",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Refused",
    };
}

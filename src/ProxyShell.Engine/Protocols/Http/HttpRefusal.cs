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

    /// <summary>Writes the whole response, after which the connection is closed; a response to HEAD has no body.</summary>
    public byte[] Write(DateTimeOffset now, bool toHead)
    {
        string sentence = HttpText.Printable(Sentence, MaxSentence);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {Status} {Phrase(Status)}: {sentence}\r\n");
        text.Append(CultureInfo.InvariantCulture, $"Date: {now:R}\r\n");
        if (Demand is not null) text.Append(CultureInfo.InvariantCulture, $"{Demand}\r\n");
        if (Reason != ProxyErrorReason.None) text.Append(CultureInfo.InvariantCulture, $"Proxy-Status: proxyshell; error={HttpProxyStatus.Error(Reason)}\r\n");
        text.Append(CultureInfo.InvariantCulture, $"Content-Type: text/plain; charset=utf-8\r\nContent-Length: {sentence.Length + 1}\r\nConnection: close\r\n\r\n");
        if (!toHead) text.Append(sentence).Append('\n');
        return Encoding.ASCII.GetBytes(text.ToString());
    }

    // RFC 9110 §15
    private static string Phrase(int status) => status switch
    {
        400 => "Bad Request",
        403 => "Forbidden",
        407 => "Proxy Authentication Required",
        413 => "Content Too Large",
        414 => "URI Too Long",
        426 => "Upgrade Required",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Refused",
    };
}

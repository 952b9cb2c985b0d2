using System.Globalization;

namespace ProxyShell.Engine.Diagnostics;

/// <summary>One HTTP request through a tunnel gateway, as it ended. Texts that clients choose are printable and cut.</summary>
public sealed record HttpRequestRecord
{
    /// <summary>When its head had come.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The client's address, without port; empty for a Unix socket.</summary>
    public required string Client { get; init; }

    /// <summary>The user that the gateway asked for; empty when it did not.</summary>
    public string User { get; init; } = "";

    /// <summary>How it came: <c>http</c> or <c>https</c>.</summary>
    public required string Scheme { get; init; }

    /// <summary>The method, as it was sent.</summary>
    public required string Method { get; init; }

    /// <summary>The host that was asked for, with its port if one was given.</summary>
    public required string Host { get; init; }

    /// <summary>Path and query.</summary>
    public required string Path { get; init; }

    /// <summary>The version that the client speaks: <c>1.1</c> or <c>1.0</c>.</summary>
    public string Version { get; init; } = "1.1";

    /// <summary>The status that the client got; 0 when the connection ended before.</summary>
    public required int Status { get; init; }

    /// <summary>Bytes of the request's body that went to the service; after an upgrade all bytes that way.</summary>
    public long BytesSent { get; init; }

    /// <summary>Bytes of the response's body that went to the client; after an upgrade all bytes that way.</summary>
    public long BytesReceived { get; init; }

    /// <summary>From the request's head to the first byte of the response; null when the service gave none.</summary>
    public TimeSpan? TimeToFirstByte { get; init; }

    /// <summary>From the request's head to the end of the response.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>The public name of the tunnel that it went through; empty when there is none.</summary>
    public string Tunnel { get; init; } = "";

    /// <summary>The word of ProxyShell-Reason when the gateway answered itself, or why the response was cut off; empty when all went well.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The field Referer; empty when there is none.</summary>
    public string Referer { get; init; } = "";

    /// <summary>The field User-Agent; empty when there is none.</summary>
    public string UserAgent { get; init; } = "";

    /// <summary>For example <c>GET app.example.org/index.html: 200 in 12 ms</c>.</summary>
    public override string ToString()
    {
        string what = Status == 0 ? "no response" : Status.ToString(CultureInfo.InvariantCulture);
        string request = Method.Length == 0 ? "no request" : $"{Cut(Method, 40)} {Cut(Host, 100)}{Cut(Path, 120)}";
        string why = Reason.Length > 0 ? $" ({Reason})" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{request}: {what}{why} in {Duration.TotalMilliseconds:0.#} ms");
    }

    private static string Cut(string text, int length) => text.Length <= length ? text : text[..(length - 1)] + "~";
}

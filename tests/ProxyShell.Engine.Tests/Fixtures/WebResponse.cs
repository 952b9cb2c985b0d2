using System.Globalization;

namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>A response as it arrived: the head up to its empty line, and the body with its chunk lines, if any.</summary>
internal sealed record WebResponse(string Head, string Body)
{
    public int Status => int.Parse(Head.AsSpan(9, 3), CultureInfo.InvariantCulture);

    public string Line => Head[..Head.IndexOf("\r\n", StringComparison.Ordinal)];

    public string[] Fields => Head.TrimEnd().Split("\r\n")[1..];
}

namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>A request as it arrived: the head up to its empty line, and the body with its chunk lines, if any.</summary>
internal sealed record WebRequest(string Head, string Body)
{
    public string Line => Head[..Head.IndexOf("\r\n", StringComparison.Ordinal)];

    public string[] Fields => Head.TrimEnd().Split("\r\n")[1..];
}

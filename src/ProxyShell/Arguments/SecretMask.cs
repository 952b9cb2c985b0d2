namespace ProxyShell.Arguments;

/// <summary>Shows what the user wrote without the secret in it: errors and their targets get logged.</summary>
internal static class SecretMask
{
    /// <summary>Hides what stands between the scheme and the last <c>@</c>, where a hop URI has its key.</summary>
    public static string Hide(string uri)
    {
        int at = uri.LastIndexOf('@');
        if (at < 0) return uri;
        int slashes = uri.IndexOf("//", StringComparison.Ordinal);
        int start = slashes >= 0 && slashes < at ? slashes + 2 : uri.IndexOf(':', StringComparison.Ordinal) + 1;
        return start < at ? $"{uri[..start]}***{uri[at..]}" : "***" + uri[at..];
    }
}

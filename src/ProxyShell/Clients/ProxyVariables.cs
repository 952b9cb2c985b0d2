namespace ProxyShell.Clients;

/// <summary>The environment variables that tell programs of a proxy. Programs differ in the case that they look for, so both are set.</summary>
internal sealed class ProxyVariables
{
    private static readonly string[] Names = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"];

    private readonly (string Name, string? Value)[] _before = [.. Names.SelectMany(name => new[] { name, name.ToUpperInvariant() }).Select(name => (name, Environment.GetEnvironmentVariable(name)))];

    /// <summary>Leads all programs that are started from now on into a port that serves HTTP and SOCKS5.</summary>
    /// <param name="user">What stands before the host, with the <c>@</c>; empty for none.</param>
    /// <param name="port">The port on 127.0.0.1.</param>
    public static void Set(string user, int port)
    {
        Set("http_proxy", $"http://{user}127.0.0.1:{port}");
        Set("https_proxy", $"http://{user}127.0.0.1:{port}");
        // for protocols other than HTTP; the h lets the proxy resolve names
        Set("all_proxy", $"socks5h://{user}127.0.0.1:{port}");
        // nothing goes around the chain; rules are the way to let something
        Set("no_proxy", null);
    }

    /// <summary>Sets all variables as they were when this object was made.</summary>
    public void Restore()
    {
        foreach ((string name, string? value) in _before) Environment.SetEnvironmentVariable(name, value);
    }

    private static void Set(string name, string? value)
    {
        Environment.SetEnvironmentVariable(name, value);
        Environment.SetEnvironmentVariable(name.ToUpperInvariant(), value);
    }
}

using ProxyShell.Engine.Chains;

namespace ProxyShell.Engine.Configuration;

/// <summary>
/// A hop URI as files and command lines hold it: the place before the host may refer to the key, or to <c>user:password</c>, but not be it
/// (<c>relay://env:PX_KEY@127.0.0.1:4101</c>, <c>socks5://file:/etc/px.login@127.0.0.1</c>). A user name alone is no secret.
/// </summary>
public static class HopReference
{
    /// <summary>Reads the URI and the secret it refers to.</summary>
    /// <param name="uri">The hop URI.</param>
    /// <param name="directory">Where relative secret files are looked for; null for the current directory.</param>
    /// <param name="secret">The reference to the secret, or null when the URI has none.</param>
    /// <exception cref="FormatException">Not a hop URI, a secret in clear text, or no secret where the reference points.</exception>
    public static ProxyHop Parse(string uri, string? directory, out SecretReference? secret)
    {
        ArgumentNullException.ThrowIfNull(uri);
        (string bare, string user) = TakeUser(uri.Trim());
        bool isReference = SecretReference.TryParse(user, out secret, directory);
        if (user.Length == 0) return ProxyHop.Parse(uri);
        ProxyHop hop = ProxyHop.Parse(bare);
        if (isReference) return WithSecret(hop, secret!);
        bool isName = hop.Protocol != HopProtocol.Relay && !user.Contains(':', StringComparison.Ordinal);
        return isName ? ProxyHop.Parse(uri) : throw ClearText(hop);
    }

    private static ProxyHop WithSecret(ProxyHop hop, SecretReference secret) => hop.Protocol switch
    {
        HopProtocol.Relay => hop with { Key = secret.ReadKey() },
        HopProtocol.Ssh => throw new FormatException($"The hop '{hop.Uri}' takes a user name only, ssh://user@{hop.Endpoint}; keys and agents are those of ssh itself."),
        _ => hop with { Credential = secret.ReadCredential() },
    };

    private static FormatException ClearText(ProxyHop hop)
    {
        if (hop.Protocol == HopProtocol.Ssh) return new FormatException($"The hop '{hop.Uri}' has a password, which ssh would not take; write ssh://user@{hop.Endpoint}.");
        string what = hop.Protocol == HopProtocol.Relay ? "a key" : "a password";
        string holding = hop.Protocol == HopProtocol.Relay ? "" : ", where NAME holds user:password";
        return new FormatException(
            $"The hop '{hop.Uri}' has {what} in clear text; refer to it instead: {hop.Scheme}:{(hop.Address.Path is null ? "//" : "")}env:NAME@{hop.Address.Path ?? hop.Endpoint}, or file:PATH in place of env:NAME{holding}.");
    }

    // "scheme:" and "//" stay, what stands before the last '@' of the rest (not of the options) goes
    private static (string Bare, string User) TakeUser(string uri)
    {
        int start = uri.IndexOf(':', StringComparison.Ordinal) + 1;
        if (uri.AsSpan(start).StartsWith("//", StringComparison.Ordinal)) start += 2;
        int options = uri.LastIndexOf('?');
        int at = uri.LastIndexOf('@', options > start ? options : uri.Length - 1);
        if (at < start) return (uri, "");
        string user = uri[start..at];
        // only a file's path may hold a slash: else the '@' belongs to the path of a socket or WebSocket
        bool isPath = user.Contains('/', StringComparison.Ordinal) && !user.StartsWith("file:", StringComparison.OrdinalIgnoreCase);
        return isPath ? (uri, "") : (uri[..start] + uri[(at + 1)..], user);
    }
}

using ProxyShell.Engine.Chains;

namespace ProxyShell.Engine.Configuration;

/// <summary>
/// A hop URI as files and command lines hold it: the place before the host may refer to the key, but not be it
/// (<c>relay://env:PX_KEY@127.0.0.1:4101</c>, <c>relay://file:/etc/px.key@127.0.0.1:4101</c>).
/// </summary>
public static class HopReference
{
    /// <summary>Reads the URI and the key it refers to.</summary>
    /// <param name="uri">The hop URI.</param>
    /// <param name="directory">Where relative key files are looked for; null for the current directory.</param>
    /// <param name="secret">The reference to the key, or null when the URI has none.</param>
    /// <exception cref="FormatException">Not a hop URI, a key in clear text, or no key where the reference points.</exception>
    public static ProxyHop Parse(string uri, string? directory, out SecretReference? secret)
    {
        ArgumentNullException.ThrowIfNull(uri);
        (string bare, string user) = TakeUser(uri.Trim());
        if (SecretReference.TryParse(user, out secret, directory)) return ProxyHop.Parse(bare) with { Key = secret.ReadKey() };
        if (user.Length == 0) return ProxyHop.Parse(uri);
        ProxyHop hop = ProxyHop.Parse(bare);
        throw new FormatException(
            $"The hop '{hop.Uri}' has a key in clear text; refer to it instead: {hop.Scheme}:{(hop.Address.Path is null ? "//" : "")}env:NAME@{hop.Address.Path ?? hop.Endpoint}, or file:PATH in place of env:NAME.");
    }

    // "scheme:" and "//" stay, what stands before the last '@' of the rest (not of the options) goes
    private static (string Bare, string User) TakeUser(string uri)
    {
        int start = uri.IndexOf(':', StringComparison.Ordinal) + 1;
        if (uri.AsSpan(start).StartsWith("//", StringComparison.Ordinal)) start += 2;
        int options = uri.LastIndexOf('?');
        int at = uri.LastIndexOf('@', options > start ? options : uri.Length - 1);
        return at < start ? (uri, "") : (uri[..start] + uri[(at + 1)..], uri[start..at]);
    }
}

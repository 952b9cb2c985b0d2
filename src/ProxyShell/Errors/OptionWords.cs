using System.Text.RegularExpressions;

namespace ProxyShell.Errors;

/// <summary>Says of options what users call them: the engine's lists have names in the plural, parameters in the singular, and trust is a thumbprint.</summary>
internal static partial class OptionWords
{
    /// <summary>The refusal of options with the names of parameters in it.</summary>
    public static FormatException AsParameters(FormatException refusal) => new(List.Replace(Trust.Replace(refusal.Message, "-PeerThumbprint"), word => $"-{word.Groups[1]}{(word.Groups[2].Value == " are" ? " is" : word.Groups[2])}"), refusal);

    [GeneratedRegex(@"\bPeerTrust\b")]
    private static partial Regex Trust { get; }

    [GeneratedRegex(@"(?<!['\w-])(Protocol|Key|PayloadKey|Credential|Certificate|ClientCertificateThumbprint|Rule|AuthorizedKey)s( is| are| from| or| holds|[;.]|$)")]
    private static partial Regex List { get; }
}

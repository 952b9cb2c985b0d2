using System.Management.Automation;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ProxyShell.Arguments;

/// <summary>The certificates of authorities as users have them: the path of a PEM or DER file, or a certificate.</summary>
public sealed class AuthorityArgument
{
    private readonly object? _value;

    /// <summary>A path.</summary>
    public AuthorityArgument(string path) => _value = path;

    /// <summary>A certificate, or a file.</summary>
    public AuthorityArgument(object value) => _value = value is PSObject wrapped ? wrapped.BaseObject : value;

    /// <summary>The certificates meant: a PEM file may hold several.</summary>
    /// <exception cref="FormatException">There is none.</exception>
    internal IReadOnlyList<X509Certificate2> Resolve(SessionState session)
    {
        if (_value is X509Certificate2 certificate) return [certificate];
        string source = ToString();
        if (source.Length == 0) throw new FormatException("The authority is empty: give the path of a PEM or DER file with its certificate, or the certificate.");
        try
        {
            return Load(session.Path.GetUnresolvedProviderPathFromPSPath(source));
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new FormatException($"The certificate '{source}' cannot be loaded: {e.Message}", e);
        }
    }

    /// <summary>The user's text, or the certificate's subject.</summary>
    public override string ToString() => _value is X509Certificate2 certificate ? certificate.Subject : _value?.ToString()?.Trim() ?? "";

    private static X509Certificate2[] Load(string path)
    {
        if (!File.Exists(path)) throw new FormatException($"The certificate file '{path}' does not exist.");
        var all = new X509Certificate2Collection();
        all.ImportFromPemFile(path);
        return all.Count > 0 ? [.. all] : [X509CertificateLoader.LoadCertificateFromFile(path)];
    }
}

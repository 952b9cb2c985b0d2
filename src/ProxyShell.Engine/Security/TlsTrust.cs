using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ProxyShell.Engine.Security;

/// <summary>How a TLS client trusts its server: by chain and name, or by one pinned certificate.</summary>
public sealed class TlsTrust : IEquatable<TlsTrust>
{
    /// <summary>The length of a SHA-256 thumbprint in bytes.</summary>
    public const int ThumbprintLength = 32;

    private readonly byte[]? _pin;

    private TlsTrust(byte[]? pin) => _pin = pin;

    /// <summary>Trust as the operating system does: name, validity and chain.</summary>
    public static TlsTrust System { get; } = new(null);

    /// <summary>The pinned SHA-256 thumbprint as 64 hexadecimal digits, or null.</summary>
    public string? Thumbprint => _pin is null ? null : Convert.ToHexString(_pin);

    internal ReadOnlySpan<byte> Pin => _pin;

    /// <summary>Trust exactly the certificate with this SHA-256 thumbprint, whatever its name and issuer.</summary>
    /// <exception cref="FormatException">Not 64 hexadecimal digits (colons and spaces between them are allowed).</exception>
    public static TlsTrust Pinned(string thumbprint)
    {
        ArgumentNullException.ThrowIfNull(thumbprint);
        string digits = thumbprint.Replace(":", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal);
        if (digits.Length == 2 * ThumbprintLength && digits.All(char.IsAsciiHexDigit)) return new TlsTrust(Convert.FromHexString(digits));
        string hint = digits.Length == 40 ? " This looks like a SHA-1 thumbprint; SHA-256 is needed." : "";
        throw new FormatException($"'{thumbprint}' is not a SHA-256 certificate thumbprint: 64 hexadecimal digits.{hint}");
    }

    /// <inheritdoc />
    public bool Equals(TlsTrust? other) => other is not null && Thumbprint == other.Thumbprint;

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as TlsTrust);

    /// <inheritdoc />
    public override int GetHashCode() => Thumbprint?.GetHashCode(StringComparison.Ordinal) ?? 0;

    internal static TlsTrust Pinned(ReadOnlySpan<byte> thumbprint) => new(thumbprint.ToArray());

    internal RemoteCertificateValidationCallback Validator(Action<string> explain) => (_, certificate, chain, errors) =>
    {
        if (certificate is null)
        {
            explain("the server sent no certificate");
            return false;
        }
        if (_pin is not null)
        {
            byte[] actual = certificate.GetCertHash(HashAlgorithmName.SHA256);
            if (CryptographicOperations.FixedTimeEquals(actual, _pin)) return true;
            explain($"the server's certificate has thumbprint {Convert.ToHexString(actual)}, not the pinned one");
            return false;
        }
        if (errors == SslPolicyErrors.None) return true;
        explain(Explain(certificate, chain, errors));
        return false;
    };

    private static string Explain(X509Certificate certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)) return $"the certificate ({certificate.Subject}) is not for this name";
        string? status = chain?.ChainStatus.Select(s => s.Status.ToString()).FirstOrDefault();
        return $"the certificate ({certificate.Subject}) is not trusted ({status ?? errors.ToString()})";
    }
}

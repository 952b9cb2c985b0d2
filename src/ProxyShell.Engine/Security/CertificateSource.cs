using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ProxyShell.Engine.Security;

/// <summary>Finds a server certificate with its private key: a PFX or PEM file, or a thumbprint in the user's or machine's store.</summary>
public static class CertificateSource
{
    /// <summary>
    /// Loads from a path of a PFX file (<c>.pfx</c>, <c>.p12</c>) or a PEM file that holds certificate and key
    /// (or whose key is in a file beside it, <c>name.key</c>), or from the certificate stores by thumbprint (SHA-1 or SHA-256).
    /// </summary>
    /// <exception cref="FormatException">Nothing usable is there; the message names the source and the fault.</exception>
    public static X509Certificate2 Load(string source, string? password = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(source);
        try
        {
            X509Certificate2 certificate = IsThumbprint(source) && !File.Exists(source) ? FromStore(source) : FromFile(source, password);
            if (certificate.HasPrivateKey) return certificate;
            certificate.Dispose();
            throw new FormatException($"The certificate '{source}' has no private key; a server needs one.");
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new FormatException($"The certificate '{source}' cannot be loaded: {e.Message}", e);
        }
    }

    /// <summary>Loads a file with the certificates of the issuers that it holds besides.</summary>
    /// <exception cref="FormatException">Nothing usable is there; the message names the file and the fault.</exception>
    internal static LoadedCertificate LoadFile(string path, string? password)
    {
        X509Certificate2 certificate = Load(path, password);
        try
        {
            // the file is all there is: nothing is fetched in the middle of a handshake
            return new LoadedCertificate(certificate, SslStreamCertificateContext.Create(certificate, Issuers(path, password), offline: true));
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new FormatException($"The certificate '{path}' cannot be loaded: {e.Message}", e);
        }
    }

    private static X509Certificate2Collection Issuers(string path, string? password)
    {
        if (IsPkcs12(path)) return X509CertificateLoader.LoadPkcs12CollectionFromFile(path, password);
        var all = new X509Certificate2Collection();
        all.ImportFromPemFile(path);
        return all;
    }

    private static bool IsPkcs12(string path) => Path.GetExtension(path).ToUpperInvariant() is ".PFX" or ".P12";

    private static bool IsThumbprint(string text) => text.Length is 40 or 64 && text.All(char.IsAsciiHexDigit);

    private static X509Certificate2 FromFile(string path, string? password)
    {
        if (!File.Exists(path)) throw new FormatException($"The certificate file '{path}' does not exist.");
        if (IsPkcs12(path)) return X509CertificateLoader.LoadPkcs12FromFile(path, password);
        string text = File.ReadAllText(path);
        string keyFile = Path.ChangeExtension(path, ".key");
        string key = text.Contains("PRIVATE KEY-----", StringComparison.Ordinal) || !File.Exists(keyFile) ? text : File.ReadAllText(keyFile);
        using X509Certificate2 fromPem = password is null
            ? X509Certificate2.CreateFromPem(text, key)
            : X509Certificate2.CreateFromEncryptedPem(text, key, password);
        // Windows' TLS cannot use a key that lives only in memory, so take the detour through PKCS#12
        return X509CertificateLoader.LoadPkcs12(fromPem.Export(X509ContentType.Pkcs12), null);
    }

    private static X509Certificate2 FromStore(string thumbprint)
    {
        foreach (StoreLocation location in (StoreLocation[])[StoreLocation.CurrentUser, StoreLocation.LocalMachine])
        {
            try
            {
                using var store = new X509Store(StoreName.My, location);
                store.Open(OpenFlags.ReadOnly | OpenFlags.OpenExistingOnly);
                HashAlgorithmName algorithm = thumbprint.Length == 64 ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA1;
                X509Certificate2Collection found = store.Certificates.FindByThumbprint(algorithm, thumbprint);
                if (found.FirstOrDefault(c => c.HasPrivateKey) is { } certificate) return certificate;
            }
            catch (CryptographicException)
            {
                // this location has no such store; the next one may
            }
        }
        throw new FormatException($"No certificate with thumbprint '{thumbprint}' and a private key is in the stores CurrentUser\\My and LocalMachine\\My.");
    }
}

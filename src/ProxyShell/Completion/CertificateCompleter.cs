using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ProxyShell.Completion;

/// <summary>Offers the certificates with private keys in the user's store, by thumbprint.</summary>
public sealed class CertificateCompleter : ValueCompleter
{
    private protected override IEnumerable<(string Value, string Tip)> Candidates()
    {
        try
        {
            using var store = new X509Store(StoreName.My, StoreLocation.CurrentUser);
            store.Open(OpenFlags.ReadOnly | OpenFlags.OpenExistingOnly);
            return [.. store.Certificates.Where(certificate => certificate.HasPrivateKey).Select(certificate => (certificate.Thumbprint, certificate.Subject))];
        }
        catch (CryptographicException)
        {
            return [];
        }
    }
}

using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ProxyShell.Engine.Security;

/// <summary>
/// Which client certificates a service accepts: those with one of the thumbprints, or those that one of the authorities vouches for; when
/// both are given, both must hold. A certificate that is only known by its thumbprint may have any issuer and time.
/// </summary>
internal sealed class ClientCertificatePolicy
{
    // id-kp-clientAuth, RFC 5280 §4.2.1.12
    private static readonly Oid ClientAuthentication = new("1.3.6.1.5.5.7.3.2");

    private readonly byte[][] _thumbprints;
    private readonly X509Certificate2[] _authorities;

    /// <summary>Makes a policy of which at least one list is not empty.</summary>
    /// <exception cref="FormatException">A thumbprint is none, or an authority's certificate is not that of an authority.</exception>
    public ClientCertificatePolicy(IEnumerable<string> thumbprints, IEnumerable<X509Certificate2> authorities)
    {
        _thumbprints = [.. thumbprints.Select(t => Convert.FromHexString(TlsTrust.Pinned(t).Thumbprint!))];
        _authorities = [.. authorities];
        if (Array.Find(_authorities, IsNoAuthority) is { } other)
            throw new FormatException($"ClientCertificateAuthority holds '{other.Subject}', which is not the certificate of an authority.");
    }

    /// <summary>The check of a handshake; says what is wrong in words for the log.</summary>
    public RemoteCertificateValidationCallback Validator(Action<string> explain) => (_, certificate, chain, _) =>
    {
        string? fault = certificate is null ? "the client sent no certificate" : FaultOf(certificate, chain);
        if (fault is not null) explain(fault);
        return fault is null;
    };

    private string? FaultOf(X509Certificate certificate, X509Chain? presented)
    {
        byte[] thumbprint = certificate.GetCertHash(HashAlgorithmName.SHA256);
        if (_thumbprints.Length > 0 && !Array.Exists(_thumbprints, t => CryptographicOperations.FixedTimeEquals(t, thumbprint)))
            return $"the client's certificate ({certificate.Subject}) has thumbprint {Convert.ToHexString(thumbprint)}, which is not one of those accepted";
        if (_authorities.Length == 0) return null;
        using var chain = new X509Chain { ChainPolicy = PolicyFor(presented) };
        using var leaf = new X509Certificate2(certificate);
        if (chain.Build(leaf)) return null;
        return $"the client's certificate ({certificate.Subject}) is not accepted ({chain.ChainStatus.Select(s => s.Status.ToString()).FirstOrDefault() ?? "no chain"})";
    }

    private X509ChainPolicy PolicyFor(X509Chain? presented)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.ApplicationPolicy.Add(ClientAuthentication);
        policy.CustomTrustStore.AddRange(_authorities);
        // what lies between the client and the authority, the client sends along
        if (presented is not null) policy.ExtraStore.AddRange(presented.ChainPolicy.ExtraStore);
        return policy;
    }

    private static bool IsNoAuthority(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509BasicConstraintsExtension>().FirstOrDefault() is { CertificateAuthority: false };
}

using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>Certificates made for the occasion; nobody's store knows them.</summary>
internal static class Certificates
{
    private static readonly Lazy<X509Certificate2> Shared = new(() => SelfSigned("localhost"));

    /// <summary>One for localhost and 127.0.0.1, made once per run.</summary>
    public static X509Certificate2 Localhost => Shared.Value;

    /// <summary>A self-signed server certificate with its private key, for this name and others.</summary>
    public static X509Certificate2 SelfSigned(string name, params string[] others)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (string one in others.Prepend(name)) names.AddDnsName(one);
        if (name == "localhost") names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
        return WithKey(made);
    }

    /// <summary>An authority of its own, or one below another.</summary>
    public static X509Certificate2 Authority(string name, X509Certificate2? above = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        if (above is not null) return Issue(request, key, above, DateTimeOffset.UtcNow.AddHours(12));
        using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddDays(2));
        return WithKey(made);
    }

    /// <summary>A client's certificate with its private key.</summary>
    public static X509Certificate2 Issued(X509Certificate2 authority, string name, double validHours = 1, string usage = "1.3.6.1.5.5.7.3.2")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        return Issue(request, key, authority, DateTimeOffset.UtcNow.AddHours(validHours));
    }

    /// <summary>The SHA-256 thumbprint.</summary>
    public static string Thumbprint(X509Certificate2 certificate) => certificate.GetCertHashString(HashAlgorithmName.SHA256);

    private static X509Certificate2 Issue(CertificateRequest request, ECDsa key, X509Certificate2 authority, DateTimeOffset until)
    {
        using X509Certificate2 made = request.Create(authority, DateTimeOffset.UtcNow.AddDays(-1), until, RandomNumberGenerator.GetBytes(8));
        using X509Certificate2 whole = made.CopyWithPrivateKey(key);
        return WithKey(whole);
    }

    // Windows' TLS cannot use a key that lives only in memory
    private static X509Certificate2 WithKey(X509Certificate2 made) =>
        X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
}

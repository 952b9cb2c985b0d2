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

    /// <summary>A self-signed server certificate with its private key.</summary>
    public static X509Certificate2 SelfSigned(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        if (name == "localhost") names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }
}

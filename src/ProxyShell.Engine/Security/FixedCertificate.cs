using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace ProxyShell.Engine.Security;

/// <summary>A certificate that stays as it is.</summary>
internal sealed class FixedCertificate(X509Certificate2 certificate) : ServerCertificate
{
    // without the names of others in a file, the system's stores say how the chain goes on
    internal override LoadedCertificate Loaded { get; } = new(certificate, SslStreamCertificateContext.Create(certificate, additionalCertificates: null));

    public override bool Equals(object? obj) => obj is FixedCertificate other && Certificate.RawDataMemory.Span.SequenceEqual(other.Certificate.RawDataMemory.Span);

    public override int GetHashCode() => Certificate.GetHashCode();
}

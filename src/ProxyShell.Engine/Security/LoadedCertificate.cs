using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace ProxyShell.Engine.Security;

/// <summary>A certificate ready for handshakes, and the names it is for.</summary>
internal sealed class LoadedCertificate(X509Certificate2 certificate, SslStreamCertificateContext context)
{
    private readonly string[] _names =
        [.. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(extension => extension.EnumerateDnsNames())];

    public X509Certificate2 Certificate => certificate;

    public SslStreamCertificateContext Context => context;

    /// <summary>Whether one of its alternative names is this name.</summary>
    public bool Names(string name) => Array.Exists(_names, n => n.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether one of its alternative names is a wildcard for this name: <c>*.example.com</c> stands for one label more (RFC 6125 §6.4.3).</summary>
    public bool Covers(string name)
    {
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && Names("*" + name[dot..]);
    }
}

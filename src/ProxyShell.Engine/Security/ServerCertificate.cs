using System.Security.Cryptography.X509Certificates;

namespace ProxyShell.Engine.Security;

/// <summary>A certificate with private key that a service shows its clients: one that stays, or a file that is looked at again.</summary>
public abstract class ServerCertificate
{
    private protected ServerCertificate()
    {
    }

    /// <summary>The certificate that is shown now.</summary>
    public X509Certificate2 Certificate => Loaded.Certificate;

    internal abstract LoadedCertificate Loaded { get; }

    /// <summary>A certificate that stays.</summary>
    /// <exception cref="FormatException">It has no private key.</exception>
    public static ServerCertificate From(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return certificate.HasPrivateKey
            ? new FixedCertificate(certificate)
            : throw new FormatException($"The certificate '{certificate.Subject}' has no private key; a server needs one.");
    }

    /// <summary>
    /// Looks whether there is a newer one, if it has not just been looked; to be asked before each handshake, on a thread that may read files.
    /// <paramref name="note"/> is told of a newer one that is in use from now on, and (true) of one that cannot be loaded, once.
    /// </summary>
    internal virtual LoadedCertificate Renewed(TimeProvider time, Action<string, bool> note) => Loaded;

    /// <summary>The file, or the certificate's subject.</summary>
    public override string ToString() => Certificate.Subject;
}

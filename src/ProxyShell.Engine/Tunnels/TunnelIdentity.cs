using System.Security.Cryptography;
using System.Text;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tunnels;

/// <summary>
/// The key that an agent shows who it is with: ECDSA on P-256 (ES256), in a PEM file that only its owner can read. Names follow from it: who has
/// the file has the name. Never shows the private key.
/// </summary>
public sealed class TunnelIdentity : IDisposable
{
    private const string Curve = "1.2.840.10045.3.1.7";
    private const long MaxFileLength = 64 * 1024;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private readonly ECDsa _key;
    private readonly ECPoint _point;

    private TunnelIdentity(ECDsa key)
    {
        _key = key;
        _point = key.ExportParameters(false).Q;
        Thumbprint = KeyThumbprint.Of(_point);
    }

    /// <summary>The public thumbprint of the key (RFC 7638, SHA-256) in lower-case base32: 52 characters, as in host names.</summary>
    public string Thumbprint { get; }

    internal ECPoint Point => _point;

    /// <summary>Makes a new key that is kept in memory only.</summary>
    public static TunnelIdentity Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>Makes a new key in a new file, PKCS #8 in PEM, that only its owner can read and write.</summary>
    /// <exception cref="IOException">The file exists already or cannot be written.</exception>
    public static TunnelIdentity Create(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        TunnelIdentity identity = Create();
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
        using var file = new FileStream(path, options);
        file.Write(Encoding.ASCII.GetBytes(identity._key.ExportPkcs8PrivateKeyPem() + "\n"));
        file.Flush(flushToDisk: true);
        return identity;
    }

    /// <summary>Reads a key file, PKCS #8 or SEC 1 in PEM without a password.</summary>
    /// <exception cref="FormatException">
    /// It is not such a file, its key is of another kind, or (except on Windows) others than its owner can get at it; the message names it.
    /// </exception>
    public static TunnelIdentity Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ECDsa key = ECDsa.Create();
        try
        {
            key.ImportFromPem(ReadPrivate(path));
            ECCurve curve = key.ExportParameters(true).Curve;
            if (curve.Oid.Value != Curve) throw new FormatException($"The key in '{path}' is not one of P-256: make one with New-TunnelIdentity.");
            return new TunnelIdentity(key);
        }
        catch (Exception e)
        {
            key.Dispose();
            if (e is ArgumentException or CryptographicException) throw new FormatException($"'{path}' holds no private key of P-256 in PEM without a password.", e);
            if (e is IOException or UnauthorizedAccessException) throw new FormatException($"The key file '{path}' cannot be read: {e.Message}", e);
            throw;
        }
    }

    /// <summary>The host label of this key, without or with a session name.</summary>
    public string LabelOf(string sessionName) => KeyThumbprint.SessionLabel(_point, sessionName);

    /// <inheritdoc />
    public void Dispose() => _key.Dispose();

    /// <summary>The thumbprint; never the key.</summary>
    public override string ToString() => Thumbprint;

    /// <summary>Signs as ES256 (RFC 7518 §3.4): 64 bytes.</summary>
    internal byte[] Sign(ReadOnlySpan<byte> data) => _key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    // looked at while it is open, so that it cannot be another one meanwhile
    private static string ReadPrivate(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        if (file.Length > MaxFileLength) throw new FormatException($"'{path}' is too long for a key file.");
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file.SafeFileHandle) & Others) != 0)
            throw new FormatException($"The key file '{path}' is open to others than its owner: chmod 600 it, or make a new key if somebody may have read it.");
        using var reader = new StreamReader(file);
        return reader.ReadToEnd();
    }
}

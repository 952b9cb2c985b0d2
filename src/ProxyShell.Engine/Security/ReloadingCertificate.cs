namespace ProxyShell.Engine.Security;

/// <summary>
/// A certificate in a file (and its key, perhaps in another) that is loaded anew when the files change. They are looked at every few
/// seconds, when a handshake needs the certificate. While what is there cannot be loaded (half written, or a key that does not belong to
/// it), the one loaded before stays in use. New handshakes show the new one; open connections are not touched.
/// </summary>
public sealed class ReloadingCertificate : ServerCertificate
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(3);

    private readonly string _path;
    private readonly string? _password;
    private readonly Lock _gate = new();
    private volatile LoadedCertificate _loaded;
    private (FileStamp Certificate, FileStamp Key) _stamp;
    private long _looked;
    private bool _isBroken;

    /// <summary>Loads a PFX or PEM file as <see cref="CertificateSource.Load"/> does, with the certificates of its issuers if they are in it too.</summary>
    /// <exception cref="FormatException">Nothing usable is there; the message names the file and the fault.</exception>
    public ReloadingCertificate(string path, string? password = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        (_path, _password) = (Path.GetFullPath(path), password);
        _stamp = Look();
        _loaded = CertificateSource.LoadFile(_path, _password);
    }

    internal override LoadedCertificate Loaded => _loaded;

    /// <summary>The file.</summary>
    public override string ToString() => _path;

    /// <summary>Whether it follows the same file.</summary>
    public override bool Equals(object? obj) => obj is ReloadingCertificate other && _path == other._path && _password == other._password;

    /// <inheritdoc />
    public override int GetHashCode() => _path.GetHashCode(StringComparison.Ordinal);

    internal override LoadedCertificate Renewed(TimeProvider time, Action<string, bool> note)
    {
        lock (_gate)
        {
            long now = time.GetTimestamp();
            if (_looked != 0 && time.GetElapsedTime(_looked, now) < Pause) return _loaded;
            _looked = now;
            (FileStamp, FileStamp) stamp = Look();
            if (stamp == _stamp) _isBroken = false;
            else Reload(stamp, note);
            return _loaded;
        }
    }

    private void Reload((FileStamp Certificate, FileStamp Key) stamp, Action<string, bool> note)
    {
        try
        {
            _loaded = CertificateSource.LoadFile(_path, _password);
            (_stamp, _isBroken) = (stamp, false);
            note($"loaded the changed certificate '{_path}': {_loaded.Certificate.Subject}, valid until {_loaded.Certificate.NotAfter.ToUniversalTime():u}", false);
        }
        catch (FormatException e)
        {
            if (!_isBroken) note($"{e.Message.TrimEnd('.')}; the one loaded before stays in use.", true);
            _isBroken = true;
        }
    }

    // looked at before it is read: what changes meanwhile is noticed at the next look
    private (FileStamp Certificate, FileStamp Key) Look() => (FileStamp.Of(_path), FileStamp.Of(Path.ChangeExtension(_path, ".key")));
}

using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Identities;

/// <summary>A key file of an agent, without the key.</summary>
public sealed class TunnelIdentityFile
{
    internal TunnelIdentityFile(string path, TunnelIdentity identity) => (Path, Thumbprint, HostLabel) = (path, identity.Thumbprint, identity.Thumbprint);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The thumbprint of the key (RFC 7638) in base32, as -AuthorizedKey of Start-TunnelGateway takes it.</summary>
    public string Thumbprint { get; }

    /// <summary>The host name, without the gateway's domain, that an agent with this key gets when it asks for none.</summary>
    public string HostLabel { get; }

    /// <summary>The thumbprint.</summary>
    public override string ToString() => Thumbprint;

    /// <summary>
    /// Makes a new key in a file, readable for its owner only. It appears under its name only when it is whole.
    /// </summary>
    /// <exception cref="IOException">There is such a file and it is not to be replaced, or it cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written to.</exception>
    internal static TunnelIdentityFile Create(string path, bool replace)
    {
        if (Directory.Exists(path)) throw new IOException($"'{path}' is a folder.");
        string draft = $"{path}.{Guid.NewGuid():N}";
        try
        {
            using TunnelIdentity identity = TunnelIdentity.Create(draft);
            File.Move(draft, path, replace);
            return new TunnelIdentityFile(path, identity);
        }
        catch
        {
            File.Delete(draft);
            throw;
        }
    }
}

using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Identities;

/// <summary>The key of the user's own, for tunnels that name none: made when it is first needed, and the same ever after.</summary>
internal static class UserIdentity
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Reads the key, or makes it; tells whether it is new.</summary>
    /// <exception cref="FormatException">It can neither be read nor made; the message tells.</exception>
    public static (TunnelIdentity Identity, string Path, bool IsNew) Open()
    {
        string path = FindPath();
        bool isNew = !File.Exists(path) && TryCreate(path);
        return (TunnelIdentity.Load(path), path, isNew);
    }

    // ~/.config on Linux, Application Support on macOS, the roaming profile on Windows
    private static string FindPath()
    {
        string folder = Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        return folder.Length > 0
            ? Path.Combine(folder, "proxyshell", "tunnel.pem")
            : throw new FormatException("This user has no configuration folder for a key: make one with New-TunnelIdentity and give it with -IdentityFile.");
    }

    private static bool TryCreate(string path)
    {
        try
        {
            string folder = Path.GetDirectoryName(path)!;
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
            else Directory.CreateDirectory(folder, OwnerOnly);
            TunnelIdentityFile.Create(path, replace: false);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            // somebody else was faster, and it is the same key from now on
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FormatException($"The key file '{path}' cannot be made: {e.Message} Give another with -IdentityFile.", e);
        }
    }
}

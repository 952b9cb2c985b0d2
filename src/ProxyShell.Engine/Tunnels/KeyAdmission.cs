using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tunnels;

/// <summary>Which keys may register: any, or those that the options and a file name. The file is read again when it has changed.</summary>
internal sealed class KeyAdmission
{
    private readonly HashSet<string> _named;
    private readonly string? _file;
    private readonly Lock _gate = new();
    private HashSet<string> _filed = [];
    private FileStamp _stamp;

    /// <exception cref="FormatException">A key is none, or the file cannot be read; the message tells.</exception>
    public KeyAdmission(TunnelGatewayOptions options)
    {
        _named = [.. options.AuthorizedKeys.Select(text => KeyThumbprint.Parse(text) ?? throw NotAKey(text, "AuthorizedKeys"))];
        _file = options.AuthorizedKeysFile;
        if (_file is null) return;
        _stamp = FileStamp.Of(_file);
        _filed = Read(_file);
    }

    /// <summary>Whether the key may register; what is wrong with a file that has changed is told, and what it said before holds on.</summary>
    public bool Admits(string thumbprint, Action<string> warn)
    {
        if (_named.Count == 0 && _file is null) return true;
        return _named.Contains(thumbprint) || (_file is not null && Filed(_file, warn).Contains(thumbprint));
    }

    private HashSet<string> Filed(string file, Action<string> warn)
    {
        lock (_gate)
        {
            FileStamp stamp = FileStamp.Of(file);
            if (stamp == _stamp) return _filed;
            _stamp = stamp;
            try
            {
                _filed = Read(file);
            }
            catch (FormatException e)
            {
                warn($"{e.Message} The keys that it named before are in use.");
            }
            return _filed;
        }
    }

    private static HashSet<string> Read(string file)
    {
        try
        {
            string[] lines = [.. File.ReadLines(file).Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#')];
            return [.. lines.Select(line => line.Split([' ', '\t'], 2)[0]).Select(text => KeyThumbprint.Parse(text) ?? throw NotAKey(text, $"AuthorizedKeysFile '{file}'"))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FormatException($"AuthorizedKeysFile '{file}' cannot be read: {e.Message}", e);
        }
    }

    private static FormatException NotAKey(string text, string where) =>
        new($"{where} holds '{text}', which is not the thumbprint of a key: 52 characters of base32, or 43 of base64url.");
}

using System.Diagnostics.CodeAnalysis;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Configuration;

/// <summary>
/// Where a secret is kept: <c>env:NAME</c> (an environment variable) or <c>file:PATH</c> (a file of its own). Configuration files
/// and command lines are read by more people and programs than a secret should be, so they hold only references.
/// </summary>
public sealed class SecretReference
{
    private const string EnvironmentPrefix = "env:";
    private const string FilePrefix = "file:";
    private const int MaxLength = 64 * 1024;

    private readonly string _text;
    private readonly string? _variable;
    private readonly string? _file;

    private SecretReference(string text, string? variable, string? file) => (_text, _variable, _file) = (text, variable, file);

    /// <summary>What is unsafe about the place, for example a file that everybody may read; null when nothing is.</summary>
    public string? Warning => _file is not null && IsReadableByOthers(_file)
        ? $"the file '{_file}' holds a secret and other users may read it (chmod 600 would stop that)"
        : null;

    /// <summary>Reads a reference; a relative file path counts from <paramref name="directory"/>, by default the current one.</summary>
    /// <returns>False when the text starts with neither prefix.</returns>
    /// <exception cref="FormatException">There is nothing after the prefix.</exception>
    public static bool TryParse(string? text, [NotNullWhen(true)] out SecretReference? reference, string? directory = null)
    {
        reference = null;
        if (text is null) return false;
        if (text.StartsWith(EnvironmentPrefix, StringComparison.OrdinalIgnoreCase))
            reference = new SecretReference(text, Rest(text, EnvironmentPrefix, "the name of an environment variable"), null);
        else if (text.StartsWith(FilePrefix, StringComparison.OrdinalIgnoreCase))
            reference = new SecretReference(text, null, Path.Combine(directory ?? "", Rest(text, FilePrefix, "a path")));
        return reference is not null;
    }

    /// <summary>Makes a reference to a file.</summary>
    public static SecretReference ToFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new SecretReference(FilePrefix + path, null, path);
    }

    /// <summary>The secret, without white space around it.</summary>
    /// <exception cref="FormatException">Nothing is there; the message names the place.</exception>
    public string Read() => _variable is not null ? ReadVariable(_variable) : ReadFile(_file!);

    /// <summary>The secret as a key.</summary>
    /// <exception cref="FormatException">No key is there; the message names the place, never what it holds.</exception>
    public ProxyKey ReadKey() =>
        ProxyKey.TryParse(Read(), out ProxyKey? key)
            ? key
            : throw new FormatException($"What '{_text}' holds is not a key: 43 characters of base64url, as New-ProxyKey and 'proxyshell new-key' make them.");

    /// <summary>The secret as a user name with its password, written <c>user:password</c>.</summary>
    /// <exception cref="FormatException">There is no such pair; the message names the place, never what it holds.</exception>
    public ProxyCredential ReadCredential()
    {
        string text = Read();
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0) throw new FormatException($"What '{_text}' holds is not a user name with its password: user:password.");
        return new ProxyCredential(text[..colon], text[(colon + 1)..]);
    }

    /// <summary>The reference; never the secret.</summary>
    public override string ToString() => _text;

    private static string ReadVariable(string name)
    {
        string value = (Environment.GetEnvironmentVariable(name) ?? "").Trim();
        return value.Length > 0 ? value : throw new FormatException($"The environment variable '{name}' is not set.");
    }

    private static string ReadFile(string path)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            using var reader = new StreamReader(stream);
            var buffer = new char[MaxLength];
            int length = reader.ReadBlock(buffer);
            if (length == MaxLength) throw new FormatException($"The file '{path}' is too long for a secret.");
            string value = new string(buffer, 0, length).Trim();
            return value.Length > 0 ? value : throw new FormatException($"The file '{path}' is empty.");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FormatException($"The file '{path}' does not exist.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new FormatException($"The file '{path}' cannot be read: {e.Message}", e);
        }
    }

    private static bool IsReadableByOthers(string path)
    {
        if (OperatingSystem.IsWindows()) return false;
        try
        {
            return (File.GetUnixFileMode(path) & (UnixFileMode.GroupRead | UnixFileMode.OtherRead)) != 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string Rest(string text, string prefix, string what)
    {
        string rest = text[prefix.Length..];
        return rest.Length > 0 ? rest : throw new FormatException($"'{text}' is not complete: after '{prefix}' comes {what}.");
    }
}

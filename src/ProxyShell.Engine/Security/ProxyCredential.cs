using System.Security.Cryptography;
using System.Text;

namespace ProxyShell.Engine.Security;

/// <summary>A user name with its password, for SOCKS5 (RFC 1929) and HTTP Basic (RFC 7617); never shows the password.</summary>
public sealed class ProxyCredential : IEquatable<ProxyCredential>
{
    /// <summary>The most bytes of UTF-8 that a name or a password may have (RFC 1929 §2).</summary>
    public const int MaxLength = 255;

    /// <summary>Makes a credential; the name has 1 to 255 bytes of UTF-8, the password 0 to 255, and neither holds control characters.</summary>
    /// <exception cref="FormatException">Not so; the message never shows the password.</exception>
    public ProxyCredential(string userName, string password)
    {
        ArgumentNullException.ThrowIfNull(userName);
        ArgumentNullException.ThrowIfNull(password);
        if (userName.Length == 0) throw new FormatException("The user name of the credential is empty.");
        if (Encoding.UTF8.GetByteCount(userName) > MaxLength || Encoding.UTF8.GetByteCount(password) > MaxLength)
            throw new FormatException($"The credential of '{userName}' is too long: name and password may have {MaxLength} bytes each.");
        if (userName.Any(char.IsControl) || password.Any(char.IsControl)) throw new FormatException("The credential holds a control character.");
        (UserName, Password) = (userName, password);
    }

    /// <summary>The user name.</summary>
    public string UserName { get; }

    internal string Password { get; }

    /// <summary>Whether these are the same name and password; takes the same time for every wrong password.</summary>
    public bool Matches(string userName, string password) => Same(UserName, userName) & Same(Password, password);

    /// <inheritdoc />
    public bool Equals(ProxyCredential? other) => other is not null && Matches(other.UserName, other.Password);

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as ProxyCredential);

    /// <inheritdoc />
    public override int GetHashCode() => UserName.GetHashCode(StringComparison.Ordinal);

    /// <summary>The user name.</summary>
    public override string ToString() => UserName;

    // over digests, so that the lengths show nothing either
    private static bool Same(string left, string right) => CryptographicOperations.FixedTimeEquals(
        SHA256.HashData(Encoding.UTF8.GetBytes(left)), SHA256.HashData(Encoding.UTF8.GetBytes(right)));
}

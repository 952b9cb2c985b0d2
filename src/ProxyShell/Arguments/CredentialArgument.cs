using System.Management.Automation;
using System.Net;
using ProxyShell.Engine.Security;

namespace ProxyShell.Arguments;

/// <summary>A user name with its password as users have it: a PSCredential, a NetworkCredential or a ProxyCredential; never plain text.</summary>
public sealed class CredentialArgument
{
    private readonly object? _value;

    /// <summary>A credential of any of the kinds above.</summary>
    public CredentialArgument(object value) => _value = value is PSObject wrapped ? wrapped.BaseObject : value;

    /// <summary>The credential meant.</summary>
    /// <exception cref="FormatException">It is none, or longer than the protocols allow; the message never shows the password.</exception>
    internal ProxyCredential Resolve() => _value switch
    {
        ProxyCredential credential => credential,
        PSCredential credential => From(credential.GetNetworkCredential(), credential.UserName),
        NetworkCredential credential => From(credential, credential.UserName),
        _ => throw new FormatException(
            $"A {_value?.GetType().Name ?? "null"} is not a credential: give a PSCredential, as Get-Credential, Get-Secret and [pscredential]::new make them."),
    };

    /// <summary>The user name; never the password.</summary>
    public override string ToString() => _value switch
    {
        ProxyCredential credential => credential.UserName,
        PSCredential credential => credential.UserName,
        NetworkCredential credential => credential.UserName,
        _ => "credential",
    };

    // the whole name: what stands before a backslash is no domain for SOCKS and HTTP
    private static ProxyCredential From(NetworkCredential credential, string userName) => new(userName, credential.Password);
}

using System.Management.Automation;
using System.Net;
using System.Security;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Arguments;

/// <summary>A gateway's token as users have it: its text, a SecureString with its text, or a TunnelToken.</summary>
public sealed class TokenArgument
{
    private readonly object? _value;

    /// <summary>The text of a token.</summary>
    public TokenArgument(string text) => _value = text;

    /// <summary>A TunnelToken or a SecureString.</summary>
    public TokenArgument(object value) => _value = value is PSObject wrapped ? wrapped.BaseObject : value;

    /// <summary>The token meant.</summary>
    /// <exception cref="FormatException">It is none; the message does not repeat it.</exception>
    internal TunnelToken Resolve() => _value switch
    {
        TunnelToken token => token,
        string text => new TunnelToken(text),
        SecureString secure => new TunnelToken(new NetworkCredential("", secure).Password),
        _ => throw new FormatException($"A {_value?.GetType().Name ?? "null"} is not a token: give its text, or a SecureString with its text."),
    };

    /// <summary>Never the token.</summary>
    public override string ToString() => "token";
}

using System.Management.Automation;
using System.Net;
using System.Security;
using ProxyShell.Engine.Security;

namespace ProxyShell.Arguments;

/// <summary>A key as users have it: a ProxyKey, its text, or a SecureString with its text.</summary>
public sealed class KeyArgument
{
    private readonly object? _value;

    /// <summary>The text of a key.</summary>
    public KeyArgument(string text) => _value = text;

    /// <summary>A ProxyKey or a SecureString.</summary>
    public KeyArgument(object value) => _value = value is PSObject wrapped ? wrapped.BaseObject : value;

    /// <summary>Nothing, or text without anything in it, as in an empty column of a CSV file.</summary>
    internal bool IsEmpty => _value is null || (_value is string text && string.IsNullOrWhiteSpace(text)) || _value is SecureString { Length: 0 };

    /// <summary>The key meant.</summary>
    /// <exception cref="FormatException">It is no key; the message does not repeat it.</exception>
    internal ProxyKey Resolve() => _value switch
    {
        ProxyKey key => key,
        string text => ProxyKey.Parse(text),
        SecureString secure => ProxyKey.Parse(new NetworkCredential("", secure).Password),
        _ => throw new FormatException($"A {_value?.GetType().Name ?? "null"} is not a key: give what New-ProxyKey makes, its text, or a SecureString with its text."),
    };

    /// <summary>Never the key.</summary>
    public override string ToString() => _value is ProxyKey key ? key.ToString() : "key";
}

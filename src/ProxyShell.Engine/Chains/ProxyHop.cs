using System.Diagnostics.CodeAnalysis;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Chains;

/// <summary>
/// One proxy on the way: its address, transport and key. Written as a URI: <c>relay://host:port</c> (TCP),
/// <c>relays://host:port</c> (TLS), <c>relay+unix:/path</c>; a key may stand before the host: <c>relay://KEY@host:port</c>.
/// A TLS hop may pin its certificate and name the server: <c>relays://host:port?thumbprint=…&amp;servername=…</c>.
/// </summary>
public sealed record ProxyHop
{
    /// <summary>The URI schemes that <see cref="Parse(string)"/> knows.</summary>
    public static IReadOnlyList<string> Schemes { get; } = ["relay", "relays", "relay+unix"];

    /// <summary>Makes a hop at an address.</summary>
    public ProxyHop(TransportAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        Address = address;
    }

    /// <summary>Where the proxy listens and over which transport.</summary>
    public TransportAddress Address { get; }

    /// <summary>The key shared with the proxy, or null.</summary>
    public ProxyKey? Key { get; init; }

    /// <summary>How the proxy's TLS certificate is trusted; of meaning for TLS hops only.</summary>
    public TlsTrust Trust { get; init; } = TlsTrust.System;

    /// <summary>The name to ask for and check in TLS when it is not the address' host.</summary>
    public string? ServerName { get; init; }

    /// <summary>The host and port, or <c>unix:/path</c>, as text.</summary>
    public string Endpoint => Address.ToString();

    /// <summary>The URI scheme.</summary>
    public string Scheme => Address.Kind switch
    {
        TransportKind.Tls => "relays",
        TransportKind.Unix => "relay+unix",
        _ => "relay",
    };

    /// <summary>The URI without the key.</summary>
    public string Uri => Address.Path is { } path ? $"{Scheme}:{path}" : $"{Scheme}://{Endpoint}";

    /// <summary>Reads a hop URI.</summary>
    /// <exception cref="FormatException">The text is not a hop URI; the message names the fault and never shows a key.</exception>
    public static ProxyHop Parse(string uri) => ProxyHopParser.Parse(uri);

    /// <summary>Reads a hop URI; on failure says what is wrong with it.</summary>
    public static bool TryParse(string? uri, [NotNullWhen(true)] out ProxyHop? hop, [NotNullWhen(false)] out string? fault)
    {
        try
        {
            (hop, fault) = (ProxyHopParser.Parse(uri ?? ""), null);
            return true;
        }
        catch (FormatException e)
        {
            (hop, fault) = (null, e.Message);
            return false;
        }
    }

    /// <summary>The chain of two hops.</summary>
    public static ProxyChain operator +(ProxyHop left, ProxyHop right) => Add(left, right);

    /// <summary>The chain of two hops.</summary>
    public static ProxyChain Add(ProxyHop left, ProxyHop right) => new(left, right);

    /// <summary>The URI without the key.</summary>
    public override string ToString() => Uri;
}

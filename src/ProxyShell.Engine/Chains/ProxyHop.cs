using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography.X509Certificates;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains.Pool;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Chains;

/// <summary>
/// One proxy on the way: its protocol, address, transport and secret. Written as a URI: <c>relay://host:port</c> (TCP),
/// <c>relays://host:port</c> (TLS), <c>relay+unix:/path</c>, <c>relay+ws://host:port/path</c> and <c>relay+wss://</c> (WebSocket),
/// each of them with <c>+mux</c> (<c>relay+mux://</c>, <c>relays+mux://</c>, <c>relay+mux+ws://</c>) as a channel of a session that is kept to the hop,
/// <c>socks5://host[:1080]</c>, <c>socks5+tls://</c>, <c>http://host[:80]</c>, <c>https://host[:443]</c> (CONNECT), <c>ssh://[user@]host[:22]</c>. Before the host
/// may stand a key (<c>relay://KEY@host:port</c>) or, for the others, <c>user:password@</c>, percent-encoded (RFC 3986 §2.1).
/// A TLS hop may pin its certificate and name the server: <c>relays://host:port?thumbprint=…&amp;servername=…</c>;
/// a multiplexed one may say how sessions are kept: <c>?sessions=8&amp;channels=1000&amp;idle=300&amp;keepalive=30</c> (seconds).
/// </summary>
public sealed record ProxyHop
{
    /// <summary>The URI schemes that <see cref="Parse(string)"/> knows.</summary>
    public static IReadOnlyList<string> Schemes { get; } = ["relay", "relays", "relay+unix", "relay+ws", "relay+wss", "relay+mux", "relays+mux", "relay+mux+unix", "relay+mux+ws", "relay+mux+wss", "socks5", "socks5+tls", "http", "https", "ssh"];

    /// <summary>Makes a hop at an address.</summary>
    public ProxyHop(TransportAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        Address = address;
    }

    /// <summary>What is spoken with it.</summary>
    public HopProtocol Protocol { get; init; }

    /// <summary>Where the proxy listens and over which transport.</summary>
    public TransportAddress Address { get; private init; }

    /// <summary>The path of the WebSocket (RFC 6455) that carries the hop's protocol, beginning with a slash; null for none.</summary>
    public string? WebSocketPath { get; init; }

    /// <summary>The key shared with a relay hop, or null.</summary>
    public ProxyKey? Key { get; init; }

    /// <summary>The user name and password for SOCKS5 and HTTP hops, or null; of an SSH hop only the name is used.</summary>
    public ProxyCredential? Credential { get; init; }

    /// <summary>How the proxy's TLS certificate is trusted; of meaning for TLS hops only.</summary>
    public TlsTrust Trust { get; init; } = TlsTrust.System;

    /// <summary>
    /// The certificate, with private key, to show to a TLS hop that asks its clients for one; null for none. TLS to such a hop is laid on from
    /// here, through the hops before it, which costs a round trip but leaves the key with its owner.
    /// </summary>
    public X509Certificate2? ClientCertificate { get; init; }

    /// <summary>The name to ask for and check in TLS when it is not the address' host.</summary>
    public string? ServerName { get; init; }

    /// <summary>How sessions to it are kept; of meaning for multiplexed hops only.</summary>
    public SessionPooling Sessions { get; init; } = SessionPooling.Default;

    /// <summary>How often it is chosen compared with its alternates, when it stands in a group that chooses by chance.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>The host and port, or <c>unix:/path</c>, as text.</summary>
    public string Endpoint => Address.ToString();

    /// <summary>The URI scheme.</summary>
    public string Scheme => (Protocol, Address.Kind) switch
    {
        (HopProtocol.Socks5, TransportKind.Tls) => "socks5+tls",
        (HopProtocol.Socks5, _) => "socks5",
        (HopProtocol.Http, TransportKind.Tls) => "https",
        (HopProtocol.Http, _) => "http",
        (HopProtocol.Ssh, _) => "ssh",
        (_, TransportKind.Unix) => $"relay{Mux}+unix",
        (_, TransportKind.Tls) => WebSocketPath is null ? $"relays{Mux}" : $"relay{Mux}+wss",
        _ => WebSocketPath is null ? $"relay{Mux}" : $"relay{Mux}+ws",
    };

    private string Mux => Address.IsMultiplexed ? "+mux" : "";

    /// <summary>The URI without key and credential.</summary>
    public string Uri => Address.Path is { } path ? $"{Scheme}:{path}" : $"{Scheme}://{Endpoint}{(WebSocketPath is null or "/" ? "" : WebSocketPath)}";

    /// <summary>The same relay hop, to be reached by channels of a session.</summary>
    /// <exception cref="FormatException">It is no relay hop.</exception>
    public ProxyHop Multiplexed() =>
        Protocol == HopProtocol.Relay ? this with { Address = Address.Multiplexed() } : throw new FormatException($"'{Uri}' is a {Scheme} hop; only relay hops take sessions.");

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

    /// <summary>The URI without key and credential.</summary>
    public override string ToString() => Uri;
}

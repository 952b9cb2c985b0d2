using System.Diagnostics.CodeAnalysis;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tunnels;

/// <summary>
/// Where and how an agent connects to its gateway. Written as a URI: <c>tunnel://host:port</c> (TCP), <c>tunnels://host:port</c> (TLS),
/// <c>ws://host[:80]/path</c> and <c>wss://host[:443]/path</c> (WebSocket). With TLS, the certificate may be pinned and the server named:
/// <c>tunnels://host:port?thumbprint=…&amp;servername=…</c>.
/// </summary>
public sealed record GatewayAddress
{
    /// <summary>The URI schemes that <see cref="Parse"/> knows.</summary>
    public static IReadOnlyList<string> Schemes { get; } = ["tunnel", "tunnels", "ws", "wss"];

    /// <summary>Makes an address.</summary>
    public GatewayAddress(HostEndpoint endpoint)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        Endpoint = endpoint;
    }

    /// <summary>The gateway's control port.</summary>
    public HostEndpoint Endpoint { get; }

    /// <summary>Whether TLS is spoken with it.</summary>
    public bool UsesTls { get; init; }

    /// <summary>The path of the WebSocket, beginning with a slash; null for none.</summary>
    public string? WebSocketPath { get; init; }

    /// <summary>How the gateway's certificate is trusted; of meaning with TLS only.</summary>
    public TlsTrust Trust { get; init; } = TlsTrust.System;

    /// <summary>The name to ask for and check in TLS when it is not the host.</summary>
    public string? ServerName { get; init; }

    /// <summary>Reads a URI.</summary>
    /// <exception cref="FormatException">The text is none; the message names it and the fault.</exception>
    public static GatewayAddress Parse(string uri)
    {
        ArgumentNullException.ThrowIfNull(uri);
        string text = uri.Trim();
        (string scheme, string rest) = Split(text, "://");
        bool isWebSocket = scheme.ToLowerInvariant() is "ws" or "wss", usesTls = scheme.ToLowerInvariant() is "tunnels" or "wss";
        if (!Schemes.Contains(scheme.ToLowerInvariant())) throw Fault(text, "it must start with tunnel://, tunnels://, ws:// or wss://, for example tunnels://gateway.example.org:4443");
        (string address, string query) = Split(rest, "?");
        (string authority, string path) = Split(address, "/");
        if (!isWebSocket && path.Length > 0) throw Fault(text, $"'{scheme}' has no path");
        if (path.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || c == '#')) throw Fault(text, "the path holds a character that no path may have");
        if (isWebSocket && authority.LastIndexOf(':') <= authority.LastIndexOf(']')) authority += usesTls ? ":443" : ":80";
        if (!HostEndpoint.TryParse(authority, out HostEndpoint? endpoint, out string? fault)) throw Fault(text, fault);
        if (endpoint.Port == 0) throw Fault(text, "port 0 cannot be connected to");
        var gateway = new GatewayAddress(endpoint) { UsesTls = usesTls, WebSocketPath = isWebSocket ? "/" + path : null };
        foreach (string pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries)) gateway = Apply(text, gateway, pair);
        return gateway;
    }

    /// <summary>Reads a URI; on failure says what is wrong with it.</summary>
    public static bool TryParse(string? uri, [NotNullWhen(true)] out GatewayAddress? address, [NotNullWhen(false)] out string? fault)
    {
        try
        {
            (address, fault) = (Parse(uri ?? ""), null);
            return true;
        }
        catch (FormatException e)
        {
            (address, fault) = (null, e.Message);
            return false;
        }
    }

    /// <summary>The URI without what is said of its certificate.</summary>
    public override string ToString() => (WebSocketPath, UsesTls) switch
    {
        (null, false) => $"tunnel://{Endpoint}",
        (null, true) => $"tunnels://{Endpoint}",
        (var path, false) => $"ws://{Endpoint}{path}",
        var (path, _) => $"wss://{Endpoint}{path}",
    };

    private static GatewayAddress Apply(string text, GatewayAddress gateway, string pair)
    {
        (string name, string value) = Split(pair, "=");
        value = Uri.UnescapeDataString(value);
        if (!gateway.UsesTls) throw Fault(text, "only tunnels:// and wss:// take options");
        return name.ToLowerInvariant() switch
        {
            "thumbprint" => gateway with { Trust = TlsTrust.Pinned(value) },
            "servername" when value.Length > 0 => gateway with { ServerName = value },
            _ => throw Fault(text, $"option '{name}' is not known; thumbprint and servername are"),
        };
    }

    private static (string Left, string Right) Split(string text, string separator)
    {
        int index = text.IndexOf(separator, StringComparison.Ordinal);
        return index < 0 ? (text, "") : (text[..index], text[(index + separator.Length)..]);
    }

    private static FormatException Fault(string text, string why) => new($"'{text}' is not the address of a gateway: {why.TrimEnd('.')}.");
}

using System.Numerics;
using ProxyShell.Engine.Chains;

namespace ProxyShell.Engine.Inbound;

/// <summary>
/// The protocols that a port serves and those of them whose clients are authenticated. Unless named, they are all that the given
/// secrets authenticate, or simply all when there is no secret: a key must not leave a second, open door.
/// </summary>
internal readonly record struct ServedProtocols(ProxyProtocols Served, ProxyProtocols Authenticated)
{
    /// <summary>Whether every client that is served is authenticated.</summary>
    public bool AuthenticateAll => Served == Authenticated;

    /// <summary>What would authenticate the clients, as the beginning of a sentence.</summary>
    public string Remedy => $"give {Secrets(Served)}, ";

    /// <summary>How a hop would speak with the port: in the protocol of its own kind that can do most.</summary>
    public HopProtocol HopProtocol =>
        (Served & ProxyProtocols.Relay) != 0 ? HopProtocol.Relay : (Served & ProxyProtocols.Socks5) != 0 ? HopProtocol.Socks5 : HopProtocol.Http;

    /// <summary>Chooses; <paramref name="offered"/> is what the kind of service can serve at all.</summary>
    /// <exception cref="FormatException">A protocol is named that is not served here, or that would let in strangers while another is guarded.</exception>
    public static ServedProtocols Choose(
        ProxyProtocols? named, ProxyProtocols offered, bool hasKeys, bool hasCredentials, bool hasClientCertificates, bool allowAnonymous)
    {
        // TLS comes before every protocol
        ProxyProtocols guarded = hasClientCertificates ? offered : offered & ((hasKeys ? ProxyProtocols.Relay : 0) | (hasCredentials ? ProxyProtocols.Socks5 | ProxyProtocols.Http : 0));
        if (named is not { } chosen)
        {
            ProxyProtocols all = guarded == 0 ? offered : guarded;
            return new ServedProtocols(all, all & guarded);
        }
        if (chosen == 0 || (chosen & ~offered) != 0) throw new FormatException($"Protocols is '{chosen}'; it must be one or more of {Names(offered)}.");
        ProxyProtocols open = chosen & ~guarded;
        if (guarded != 0 && open != 0 && !allowAnonymous) throw new FormatException(OpenDoor(chosen, open));
        return new ServedProtocols(chosen, chosen & guarded);
    }

    private static string OpenDoor(ProxyProtocols chosen, ProxyProtocols open)
    {
        string secrets = Secrets(open);
        return $"Protocols is '{chosen}', and nothing would authenticate clients of {open} while others need a secret: give {secrets}, leave out {open}, or say AllowAnonymous.";
    }

    private static string Names(ProxyProtocols protocols) =>
        string.Join(", ", Enum.GetValues<ProxyProtocols>().Where(p => BitOperations.IsPow2((int)p) && (protocols & p) != 0));

    private static string Secrets(ProxyProtocols protocols) => ((protocols & ProxyProtocols.Relay) != 0, (protocols & ~ProxyProtocols.Relay) != 0) switch
    {
        (true, true) => "a key or a credential",
        (true, false) => "a key",
        _ => "a credential",
    };
}

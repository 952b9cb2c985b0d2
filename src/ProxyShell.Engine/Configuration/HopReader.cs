using System.Text.Json;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Configuration;

/// <summary>Reads a hop: a URI, or an object with the URI and what does not fit into it.</summary>
internal static class HopReader
{
    public static ProxyHop Read(ConfigurationSource source, string path, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String) return ReadUri(source, path, value.GetString()!);
        if (value.ValueKind != JsonValueKind.Object) throw source.Fault(path, $"must be a hop URI in quotes or an object with a \"uri\", not {ConfigurationSection.Kind(value)}.");
        var section = new ConfigurationSection(source, path, value);
        ProxyHop hop = Read(section);
        section.RejectUnknown();
        return hop;
    }

    /// <summary>Reads the hop's own properties of an object; others are left for the caller.</summary>
    public static ProxyHop Read(ConfigurationSection section)
    {
        string uri = section.Text("uri") ?? throw section.Source.Fault(section.Path, "has no \"uri\".");
        return ReadSessions(section, ReadTrust(section, ReadSecret(section, ReadUri(section.Source, section.At("uri"), uri))));
    }

    private static ProxyHop ReadSessions(ConfigurationSection section, ProxyHop hop)
    {
        if (!section.TryGet("sessions", out _)) return hop;
        if (!hop.Address.IsMultiplexed) throw section.Source.Fault(section.At("sessions"), $"is for multiplexed hops (relay+mux://, relays+mux://); this hop is {hop.Uri}.");
        return hop with { Sessions = SessionsReader.Read(section, hop.Sessions) };
    }

    private static ProxyHop ReadSecret(ConfigurationSection section, ProxyHop hop)
    {
        if (section.Text("key") is { } key)
        {
            if (hop.Protocol != HopProtocol.Relay) throw section.Source.Fault(section.At("key"), $"is for relay hops; this hop is {hop.Uri}.");
            hop = hop with { Key = section.Source.Key(section.At("key"), key) };
        }
        if (!section.TryGet("credential", out JsonElement credential)) return hop;
        if (hop.Protocol is not (HopProtocol.Socks5 or HopProtocol.Http)) throw section.Source.Fault(section.At("credential"), $"is for SOCKS5 and HTTP hops; this hop is {hop.Uri}.");
        return hop with { Credential = CredentialReader.Read(section.Source, section.At("credential"), credential) };
    }

    private static ProxyHop ReadTrust(ConfigurationSection section, ProxyHop hop)
    {
        if (section.Text("thumbprint") is { } thumbprint)
        {
            RequireTls(section, "thumbprint", hop);
            hop = hop with { Trust = section.Source.Locate(section.At("thumbprint"), () => TlsTrust.Pinned(thumbprint)) };
        }
        if (section.TryGet("clientCertificate", out _))
        {
            RequireTls(section, "clientCertificate", hop);
            hop = hop with { ClientCertificate = CertificateReader.ReadClient(section, "clientCertificate") };
        }
        if (section.Text("serverName") is not { } serverName) return hop;
        RequireTls(section, "serverName", hop);
        return hop with { ServerName = serverName };
    }

    private static void RequireTls(ConfigurationSection section, string name, ProxyHop hop)
    {
        if (hop.Address.Kind != TransportKind.Tls) throw section.Source.Fault(section.At(name), $"is for TLS hops (relays://, relay+wss://, https://); this hop is {hop.Uri}.");
    }

    private static ProxyHop ReadUri(ConfigurationSource source, string path, string uri)
    {
        SecretReference? secret = null;
        ProxyHop hop = source.Locate(path, () => HopReference.Parse(uri, source.Directory, out secret));
        if (secret is not null) source.Note(path, secret);
        return hop;
    }
}

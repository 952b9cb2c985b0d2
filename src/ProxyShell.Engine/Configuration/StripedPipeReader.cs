using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Striping;

namespace ProxyShell.Engine.Configuration;

/// <summary>Reads an end of a striped pipe: with <c>peer</c> the near one, with <c>"accept": true</c> the far one.</summary>
internal static class StripedPipeReader
{
    public static StripedPipeOptions Read(ConfigurationSection section, string defaultName)
    {
        bool isFar = section.Flag("accept") ?? false, isNear = section.TryGet("peer", out _);
        if (isFar == isNear) throw section.Source.Fault(section.Path, "is one end of a striped pipe and has either \"peer\", the address of the far end, or \"accept\": true, when it is the far end.");
        return isNear ? ReadEntry(section, defaultName) : ReadExit(section, defaultName);
    }

    private static StripedPipeEntryOptions ReadEntry(ConfigurationSection section, string defaultName)
    {
        TransportAddress peer = section.Source.Locate(section.At("peer"), () => TransportAddress.Parse(section.Text("peer")!));
        var defaults = new StripedPipeEntryOptions { Name = defaultName, Peer = peer };
        return ServiceReader.Checked(section, (StripedPipeEntryOptions)ReadShared(section, (StripedPipeEntryOptions)ServiceReader.ReadCommon(section, defaults)) with
        {
            PeerTrust = section.Text("peerThumbprint") is { } pin ? section.Source.Locate(section.At("peerThumbprint"), () => TlsTrust.Pinned(pin)) : defaults.PeerTrust,
            PeerServerName = section.Text("peerServerName"),
            ClientCertificate = CertificateReader.ReadClient(section, "clientCertificate"),
            StripeCount = section.Integer("stripeCount") ?? defaults.StripeCount,
            MaxStripeCount = section.Integer("maxStripeCount") ?? defaults.MaxStripeCount,
            Chains = ChainReader.ReadAll(section),
        });
    }

    private static StripedPipeExitOptions ReadExit(ConfigurationSection section, string defaultName)
    {
        string text = section.Text("destination") ?? throw section.Source.Fault(section.Path, "has no \"destination\", where all that comes over the pipe goes, such as 127.0.0.1:22.");
        var defaults = new StripedPipeExitOptions { Name = defaultName, Destination = section.Source.Locate(section.At("destination"), () => HostEndpoint.Parse(text)) };
        return ServiceReader.Checked(section, (StripedPipeExitOptions)ReadShared(section, (StripedPipeExitOptions)ServiceReader.ReadRouted(section, defaults)) with { Chain = ChainReader.Read(section) });
    }

    private static StripedPipeOptions ReadShared(ConfigurationSection section, StripedPipeOptions defaults) => defaults with
    {
        Key = section.Text("key") is { } key ? section.Source.Key(section.At("key"), key) : null,
        Framing = section.Text("framing") is { } framing ? section.Source.Locate(section.At("framing"), () => ReadFraming(framing)) : defaults.Framing,
        Udp = section.Flag("udp") ?? defaults.Udp,
        Window = section.Integer("window") ?? defaults.Window,
        ReconnectTimeout = section.Time("reconnectTimeout") ?? defaults.ReconnectTimeout,
        StallTimeout = section.Time("stallTimeout") ?? defaults.StallTimeout,
    };

    private static StripedPipeFraming ReadFraming(string text) => text.ToLowerInvariant() switch
    {
        "stripe" => StripedPipeFraming.Stripe,
        "datagram" => StripedPipeFraming.Datagram,
        _ => throw new FormatException($"'{text}' is not a framing; stripe and datagram are."),
    };
}

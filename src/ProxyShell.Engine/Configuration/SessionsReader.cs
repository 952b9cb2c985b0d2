using System.Text.Json;
using ProxyShell.Engine.Chains.Pool;

namespace ProxyShell.Engine.Configuration;

/// <summary>Reads how sessions are kept: the object <c>sessions</c> of a hop or a proxy server.</summary>
internal static class SessionsReader
{
    /// <summary>What the object says; <paramref name="defaults"/> where it, or the whole object, says nothing.</summary>
    public static SessionPooling Read(ConfigurationSection owner, SessionPooling defaults)
    {
        if (!owner.TryGet("sessions", out JsonElement value)) return defaults;
        var section = new ConfigurationSection(owner.Source, owner.At("sessions"), value);
        SessionPooling read = defaults with
        {
            MaxSessions = section.Integer("maxSessions") ?? defaults.MaxSessions,
            MaxChannels = section.Integer("maxChannels") ?? defaults.MaxChannels,
            IdleTimeout = section.Time("idleTimeout") ?? defaults.IdleTimeout,
            KeepAlive = section.Time("keepAlive") ?? defaults.KeepAlive,
        };
        section.RejectUnknown();
        return owner.Source.Locate(section.Path, () =>
        {
            read.Validate();
            return read;
        });
    }
}

using ProxyShell.Engine.Chains.Pool;

namespace ProxyShell.Arguments;

/// <summary>What users say about how sessions are kept; null says nothing.</summary>
internal sealed record SessionSettings(int? MaxSessions = null, int? MaxChannels = null, TimeSpan? IdleTimeout = null, TimeSpan? KeepAlive = null)
{
    /// <summary>The parameters that are read into this, for messages.</summary>
    public const string Parameters = "-MaxSessions, -MaxChannels, -SessionIdleTimeout and -KeepAlive";

    /// <summary>Whether nothing is said.</summary>
    public bool IsEmpty => (MaxSessions ?? MaxChannels) is null && (IdleTimeout ?? KeepAlive) is null;

    /// <summary>The pooling with what is said.</summary>
    /// <exception cref="FormatException">A value is out of its range.</exception>
    public SessionPooling ApplyTo(SessionPooling pooling)
    {
        SessionPooling changed = pooling with
        {
            MaxSessions = MaxSessions ?? pooling.MaxSessions,
            MaxChannels = MaxChannels ?? pooling.MaxChannels,
            IdleTimeout = IdleTimeout ?? pooling.IdleTimeout,
            KeepAlive = KeepAlive ?? pooling.KeepAlive,
        };
        changed.Validate();
        return changed;
    }
}

namespace ProxyShell.Engine.Chains.Pool;

/// <summary>How sessions to a hop are kept. Values out of their range are refused where they are given.</summary>
public sealed record SessionPooling
{
    /// <summary>The most that <see cref="MaxSessions"/> can be.</summary>
    public const int SessionLimit = 64;

    /// <summary>The most that <see cref="MaxChannels"/> can be.</summary>
    public const int ChannelLimit = 4096;

    /// <summary>What holds unless something else is said.</summary>
    public static SessionPooling Default { get; } = new();

    /// <summary>How many sessions to the hop there may be at once, 1 to 64; another is begun when all have <see cref="MaxChannels"/>. 8 by default.</summary>
    public int MaxSessions { get; init; } = 8;

    /// <summary>How many channels a session carries before another one is begun, 1 to 4,096. 1,000 by default.</summary>
    public int MaxChannels { get; init; } = 1000;

    /// <summary>How long a session without channels is kept, up to 24 days; infinite for as long as its peer lives. 5 minutes by default.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long the peer may be silent before it counts as dead, 1 second to 1 hour; infinite turns it off. 30 seconds by default.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Refuses values that are out of their range.</summary>
    /// <exception cref="FormatException">One is; the message names the first.</exception>
    public void Validate()
    {
        Require(MaxSessions is >= 1 and <= SessionLimit, nameof(MaxSessions), MaxSessions, "1 to 64");
        Require(MaxChannels is >= 1 and <= ChannelLimit, nameof(MaxChannels), MaxChannels, "1 to 4096");
        Require(IdleTimeout == Timeout.InfiniteTimeSpan || (IdleTimeout > TimeSpan.Zero && IdleTimeout <= TimeSpan.FromDays(24)), nameof(IdleTimeout), IdleTimeout, "more than 0 and at most 24 days");
        Require(KeepAlive == Timeout.InfiniteTimeSpan || (KeepAlive >= TimeSpan.FromSeconds(1) && KeepAlive <= TimeSpan.FromHours(1)), nameof(KeepAlive), KeepAlive, "1 second to 1 hour");
    }

    private static void Require(bool holds, string option, object value, string range)
    {
        if (!holds) throw new FormatException($"{option} of sessions is '{value}'; it must be {range}.");
    }
}

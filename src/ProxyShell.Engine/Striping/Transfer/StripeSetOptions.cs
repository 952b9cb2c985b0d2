namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>What a stripe set goes by; the same at both ends or not.</summary>
internal sealed record StripeSetOptions
{
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>How many bytes of a stream may be ahead of its reader, at most.</summary>
    public long Window { get; init; } = 16 * 1024 * 1024;

    /// <summary>How many streams there may be at once.</summary>
    public int MaxStreams { get; init; } = 65_536;

    /// <summary>After how long without an arrival a stripe is given up.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a set without a stripe waits for one before it fails.</summary>
    public TimeSpan ReconnectTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>After how long a silent stripe is asked whether it lives.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(10);
}

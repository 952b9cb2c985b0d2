namespace ProxyShell.Engine.Relaying;

/// <summary>What a pump came to in one turn.</summary>
internal enum PumpOutcome
{
    /// <summary>It waits for readiness.</summary>
    Waiting,

    /// <summary>It has more to do but has had its share of the loop.</summary>
    HasMore,

    /// <summary>The source has ended and the end was passed on.</summary>
    Finished,

    /// <summary>Reading failed.</summary>
    SourceFailed,

    /// <summary>Writing failed.</summary>
    SinkFailed,
}

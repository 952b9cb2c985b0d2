namespace ProxyShell.Engine.Striping;

/// <summary>How a stripe is.</summary>
public enum StripeState
{
    /// <summary>It is being connected, or waits for the next attempt.</summary>
    Connecting = 0,

    /// <summary>It carries.</summary>
    Active = 1,

    /// <summary>What is under way on it does not arrive: it gets nothing new until it moves, and what it has goes over the others too.</summary>
    Stalled = 2,

    /// <summary>It is gone.</summary>
    Closed = 3,
}

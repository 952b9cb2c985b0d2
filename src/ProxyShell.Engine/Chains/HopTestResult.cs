using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Chains;

/// <summary>The test of one hop of a chain, or of the destination behind it.</summary>
public sealed record HopTestResult
{
    /// <summary>The hop's number on its way, counted from 1; the destination comes after the last hop.</summary>
    public required int Hop { get; init; }

    /// <summary>The number of its place in the chain, counted from 1; the same as <see cref="Hop"/> unless an alternate has several hops.</summary>
    public int Place { get; init; }

    /// <summary>Which of the place's alternates it belongs to, counted from 1; null when the place has but one, and for the destination.</summary>
    public int? Alternate { get; init; }

    /// <summary>The hops on the way of this test, first to last; a <see cref="ProxyException.HopNumber"/> counts these.</summary>
    public IReadOnlyList<ProxyHop> Hops { get; init; } = [];

    /// <summary><c>Hop</c> or <c>Destination</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Its host and port.</summary>
    public required string Endpoint { get; init; }

    /// <summary>How long connecting to it took from where it is dialled: here for the first hop, the hop before for the others.</summary>
    public TimeSpan? Dial { get; init; }

    /// <summary>From sending the headers to its answer, without the dials on the way: about one round trip to it.</summary>
    public TimeSpan? Handshake { get; init; }

    /// <summary>Mean round trip of an echo to it through the hops before; not measured for the destination.</summary>
    public TimeSpan? RoundTrip { get; init; }

    /// <summary>Whether it was reached by a session, and whether that was there already; connecting then costs next to nothing.</summary>
    public SessionUse Session { get; init; }

    /// <summary>What the test came to.</summary>
    public required HopTestStatus Status { get; init; }

    /// <summary>What went wrong, or null.</summary>
    public ProxyException? Error { get; init; }
}

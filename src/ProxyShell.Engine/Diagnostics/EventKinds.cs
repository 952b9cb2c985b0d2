namespace ProxyShell.Engine.Diagnostics;

/// <summary>A set of kinds of events, asked for each event that is written.</summary>
internal readonly record struct EventKinds
{
    private readonly uint _bits;

    private EventKinds(uint bits) => _bits = bits;

    public static EventKinds All { get; } = Of(Enum.GetValues<ProxyEventKind>());

    public static EventKinds Of(IEnumerable<ProxyEventKind> kinds) => new(kinds.Aggregate(0u, (bits, kind) => bits | Bit(kind)));

    public bool Include(ProxyEventKind kind) => (_bits & Bit(kind)) != 0;

    public static EventKinds operator |(EventKinds one, EventKinds other) => new(one._bits | other._bits);

    private static uint Bit(ProxyEventKind kind) => 1u << (int)kind;
}

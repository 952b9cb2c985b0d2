namespace ProxyShell.Engine.Transport.Linux;

/// <summary>
/// What one activity does on a loop's thread before others have their turn: so many bytes, or a few steps of less. Who waits for anything in
/// between begins anew.
/// </summary>
internal struct LoopShare
{
    public const int Whole = 512 * 1024;
    private const int LeastStep = Whole / 8;

    private int _used;

    /// <summary>Whether it is used up.</summary>
    public readonly bool IsUsedUp => _used >= Whole;

    /// <summary>Counts a step that moved so many bytes.</summary>
    public void Use(int bytes) => _used += Math.Max(bytes, LeastStep);

    public void Renew() => _used = 0;
}

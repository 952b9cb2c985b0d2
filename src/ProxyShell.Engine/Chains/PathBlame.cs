using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Chains;

/// <summary>
/// Whose fault the failure of a path is, and what may be chosen anew. A destination's own failures (refused, not found, forbidden) are the
/// same by every path; those of the way to it are not.
/// </summary>
/// <param name="Hops">The indexes of the hops to blame, whose places are chosen anew; none when it is the destination.</param>
/// <param name="Before">When they leave no choice, the places of the hops before this one may be chosen anew; 0 for none.</param>
/// <param name="Mark">What the health of the alternates to blame learns.</param>
internal readonly record struct PathBlame(int[] Hops, int Before, BlameMark Mark)
{
    public static PathBlame Of(ProxyException error, int hops)
    {
        if (error.HopNumber is not { } number) return new PathBlame([], IsOfTheWay(error.Reason) ? hops : 0, BlameMark.None);
        int hop = number - 1;
        bool reaching = error.Stage is ProxyStage.Resolve or ProxyStage.Dial or ProxyStage.Tls;
        return error.Reason switch
        {
            // the exit speaks of the destination; a hop before it speaks of the next one, which another may allow
            ProxyErrorReason.Forbidden => number == hops ? new PathBlame([], 0, BlameMark.None) : new PathBlame([hop], hop, BlameMark.None),
            ProxyErrorReason.Unsupported => new PathBlame([hop], hop, BlameMark.None),
            // no descriptors or ports: not of the hop that was to be dialled, but of the one that dials, which may be ourselves
            ProxyErrorReason.ResourceExhausted when reaching => new PathBlame([], hop, BlameMark.None),
            // it is silent, or it waits for the next one
            ProxyErrorReason.TimedOut when !reaching => new PathBlame(number < hops ? [hop, number] : [hop], hop, BlameMark.Suspect),
            _ => new PathBlame([hop], reaching ? hop : 0, BlameMark.Down),
        };
    }

    private static bool IsOfTheWay(ProxyErrorReason reason) =>
        reason is ProxyErrorReason.TimedOut or ProxyErrorReason.HostUnreachable or ProxyErrorReason.NetworkUnreachable or ProxyErrorReason.ResourceExhausted;
}

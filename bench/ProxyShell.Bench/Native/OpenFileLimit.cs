namespace ProxyShell.Bench.Native;

/// <summary>The limit of open descriptors; every process that the bench starts inherits it.</summary>
internal static unsafe class OpenFileLimit
{
    private const ulong Wanted = 65_536;

    /// <summary>Raises the limit as far as this user may and returns what it is then.</summary>
    internal static int Raise()
    {
        Libc.ResourceLimit limit;
        NativeError.ThrowIfFailed(Libc.GetLimit(Libc.LimitOpenFiles, &limit), "getrlimit");
        var wanted = new Libc.ResourceLimit { Soft = Wanted, Hard = Math.Max(Wanted, limit.Hard) };
        if (limit.Hard >= Wanted || Libc.SetLimit(Libc.LimitOpenFiles, &wanted) != 0)
        {
            limit.Soft = Math.Min(limit.Hard, Wanted);
            Libc.SetLimit(Libc.LimitOpenFiles, &limit);
            return (int)limit.Soft;
        }

        return (int)Wanted;
    }
}

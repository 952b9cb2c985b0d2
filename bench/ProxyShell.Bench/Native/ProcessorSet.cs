using System.Globalization;
using System.Numerics;

namespace ProxyShell.Bench.Native;

/// <summary>Processors, as a bit each; what a thread may run on its new threads and processes inherit.</summary>
internal readonly record struct ProcessorSet(ulong Bits)
{
    /// <summary>The processors of the calling thread.</summary>
    internal static unsafe ProcessorSet Current
    {
        get
        {
            ulong* words = stackalloc ulong[16];
            NativeError.ThrowIfFailed(Libc.GetAffinity(0, 16 * sizeof(ulong), words), "sched_getaffinity");
            return new ProcessorSet(words[0]);
        }
    }

    internal int Count => BitOperations.PopCount(Bits);

    /// <summary>Two halves, the first not smaller than the second; a single processor is in both.</summary>
    internal (ProcessorSet First, ProcessorSet Second) Halves()
    {
        ulong first = 0;
        ulong rest = Bits;
        for (int i = 0; i < (Count + 1) / 2; i++)
        {
            ulong lowest = rest & (~rest + 1);
            first |= lowest;
            rest &= ~lowest;
        }

        return (new ProcessorSet(first), rest == 0 ? this : new ProcessorSet(rest));
    }

    /// <summary>Lets the calling thread run on these processors only.</summary>
    internal void Use() => Use(ofThread: 0);

    /// <summary>Lets all threads of this process, and those that they start, run on these processors only.</summary>
    internal void UseForAllThreads()
    {
        foreach (string thread in Directory.EnumerateDirectories("/proc/self/task"))
            Use(int.Parse(Path.GetFileName(thread), CultureInfo.InvariantCulture));
    }

    public override string ToString()
    {
        ulong bits = Bits;
        return string.Join(',', Enumerable.Range(0, 64).Where(processor => (bits >> processor & 1) != 0));
    }

    private unsafe void Use(int ofThread)
    {
        ulong word = Bits;
        NativeError.ThrowIfFailed(Libc.SetAffinity(ofThread, sizeof(ulong), &word), "sched_setaffinity");
    }
}

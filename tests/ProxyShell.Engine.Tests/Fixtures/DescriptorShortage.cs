using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>While it lasts, this process gets no new descriptor: the limit is lowered to what is open. Linux only.</summary>
internal sealed class DescriptorShortage : IDisposable
{
    private const int NumberOfFiles = 7;

    private readonly List<SafeFileHandle> _fillers = [];
    private readonly Limit _before;

    public DescriptorShortage()
    {
        Assert.Equal(0, GetLimit(NumberOfFiles, out _before));
        // what earlier tests left to the finalizers shall not come free in the middle of this one
        GC.Collect();
        GC.WaitForPendingFinalizers();
        // the limit is about numbers, so that the holes among those in use must be filled
        int highest = Directory.GetFileSystemEntries("/proc/self/fd").Max(path => int.Parse(Path.GetFileName(path), null));
        int number;
        do
        {
            _fillers.Add(File.OpenHandle("/dev/null"));
            number = (int)_fillers[^1].DangerousGetHandle();
        }
        while (number <= highest);
        _fillers[^1].Dispose();
        Assert.Equal(0, SetLimit(NumberOfFiles, new Limit { Soft = number, Hard = _before.Hard }));
        FillHoles();
    }

    public void Dispose()
    {
        Assert.Equal(0, SetLimit(NumberOfFiles, _before));
        foreach (SafeFileHandle filler in _fillers) filler.Dispose();
    }

    // other threads may have closed something meanwhile
    private void FillHoles()
    {
        try
        {
            while (true) _fillers.Add(File.OpenHandle("/dev/null"));
        }
        catch (IOException)
        {
            // now there is none left
        }
    }

    [DllImport("libc", EntryPoint = "getrlimit")]
    private static extern int GetLimit(int resource, out Limit limit);

    [DllImport("libc", EntryPoint = "setrlimit")]
    private static extern int SetLimit(int resource, in Limit limit);

    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        public long Soft;
        public long Hard;
    }
}

namespace ProxyShell.Bench.Peers;

/// <summary>The sources from which the bench was built.</summary>
internal static class Repository
{
    /// <summary>The directory of the solution above the program; null when it runs elsewhere.</summary>
    internal static string? Find()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "ProxyShell.sln")))
                return directory.FullName;
        }

        return null;
    }
}

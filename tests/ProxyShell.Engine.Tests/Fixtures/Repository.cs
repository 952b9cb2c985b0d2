namespace ProxyShell.Engine.Tests.Fixtures;

internal static class Repository
{
    /// <summary>The checkout's top folder.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "ProxyShell.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("The tests run outside a checkout.");
    }
}

using System.Runtime.CompilerServices;

namespace ProxyShell.Engine.Tests.Fixtures;

internal static class Repository
{
    /// <summary>The checkout's top folder.</summary>
    public static string Root { get; } = Find();

    // the tests may have been built into a folder elsewhere; then the sources tell
    private static string Find([CallerFilePath] string source = "") =>
        Above(AppContext.BaseDirectory) ?? Above(Path.GetDirectoryName(source)!) ?? throw new DirectoryNotFoundException("The tests run outside a checkout.");

    private static string? Above(string path)
    {
        DirectoryInfo? folder = new(path);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "ProxyShell.sln"))) folder = folder.Parent;
        return folder?.FullName;
    }
}

using System.Diagnostics;

namespace ProxyShell.Bench.Peers;

/// <summary>The Host program under test: given by the user, or published from this repository.</summary>
internal sealed class ProxyShellHost(string path)
{
    private const string ProgramName = "proxyshell";

    internal string Path { get; } = path;

    /// <exception cref="InvalidOperationException">There is no such file.</exception>
    internal static ProxyShellHost At(string path) =>
        File.Exists(path) ? new ProxyShellHost(path) : throw new InvalidOperationException($"{path} does not exist");

    /// <summary>Publishes src/ProxyShell.Host in Release into the directory.</summary>
    /// <exception cref="InvalidOperationException">The repository was not found, or it does not build.</exception>
    internal static async Task<ProxyShellHost> PublishAsync(string directory, CancellationToken cancellationToken)
    {
        string project = System.IO.Path.Combine(
            Repository.Find() ?? throw new InvalidOperationException("run the bench from within the repository, or name the program with --host"), "src", "ProxyShell.Host");
        var publish = new ProcessStartInfo("dotnet", ["publish", project, "-c", "Release", "-o", directory, "-v", "quiet", "-nologo"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(publish)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(cancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(cancellationToken) + await errors;
        await process.WaitForExitAsync(cancellationToken);
        string program = System.IO.Path.Combine(directory, ProgramName);
        if (process.ExitCode != 0 || !File.Exists(program))
            throw new InvalidOperationException($"src/ProxyShell.Host could not be published: {FirstError(output)}");
        return new ProxyShellHost(program);
    }

    /// <summary>The command that runs a configuration file; a .dll is run by dotnet.</summary>
    internal ProcessCommand Run(string configurationFile, IReadOnlyDictionary<string, string> environment)
    {
        string[] arguments = ["run", "--config", configurationFile];
        ProcessCommand command = Path.EndsWith(".dll", StringComparison.OrdinalIgnoreCase)
            ? new ProcessCommand("dotnet", [Path, .. arguments])
            : new ProcessCommand(Path, arguments);
        return command with { Environment = new Dictionary<string, string>(environment) { ["DOTNET_ROOT"] = DotnetRoot() } };
    }

    internal string Version()
    {
        string library = System.IO.Path.ChangeExtension(Path, ".dll");
        string? version = File.Exists(library) ? FileVersionInfo.GetVersionInfo(library).ProductVersion : null;
        return version?.Split('+')[0] ?? "unknown version";
    }

    // an apphost looks for the runtime in system directories only; the one that runs the bench is known to exist
    private static string DotnetRoot()
    {
        string runtime = System.IO.Path.GetDirectoryName(typeof(object).Assembly.Location)!; // …/shared/Microsoft.NETCore.App/10.x
        return System.IO.Path.GetFullPath(System.IO.Path.Combine(runtime, "..", "..", ".."));
    }

    private static string FirstError(string output) =>
        output.Split('\n').FirstOrDefault(line => line.Contains("error", StringComparison.Ordinal))?.Trim() ?? output.Trim();
}

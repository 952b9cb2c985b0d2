using System.ComponentModel;
using System.Diagnostics;

namespace ProxyShell.Bench.Peers;

/// <summary>Programs of this machine.</summary>
internal static class InstalledProgram
{
    private static readonly string[] SystemDirectories = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

    /// <summary>The full path of a program, also where the search path of ordinary users does not lead; null if absent.</summary>
    internal static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Concat(SystemDirectories)
            .Select(directory => Path.Combine(directory, name))
            .FirstOrDefault(File.Exists);

    /// <summary>The first non-empty line that contains the given word in what the program prints.</summary>
    internal static string? FindLine(string program, string argument, string word)
    {
        if (Find(program) is not { } path)
            return null;
        try
        {
            using Process process = Process.Start(new ProcessCommand(path, [argument]).ToStartInfo())!;
            string output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
            process.WaitForExit();
            return output.Split('\n').FirstOrDefault(line => line.Contains(word, StringComparison.OrdinalIgnoreCase))?.Trim();
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}

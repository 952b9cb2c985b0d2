using System.Management.Automation;
using System.Reflection;
using System.Runtime.CompilerServices;
using ProxyShell.Commands;

namespace ProxyShell.Tests.Contract;

/// <summary>
/// The module as metadata and files. The PowerShell assembly beside the tests is a reference without an engine in it, so nothing
/// here makes a cmdlet; that is what the Pester suite is for.
/// </summary>
internal static class ModuleUnderTest
{
    private static readonly string[] CommonParameters = ["WhatIf", "Confirm"];

    public static string Root { get; } = FindRoot();

    public static Assembly Assembly => typeof(StartProxyServerCommand).Assembly;

    public static Assembly Engine => typeof(Engine.Chains.ProxyChain).Assembly;

    public static IReadOnlyList<CmdletMetadata> Cmdlets { get; } =
        [.. Assembly.GetExportedTypes().Select(CmdletMetadata.TryRead).OfType<CmdletMetadata>().OrderBy(cmdlet => cmdlet.Name, StringComparer.Ordinal)];

    public static string ReadFile(params string[] path) => File.ReadAllText(Path.Combine([Root, .. path]));

    /// <summary>The names of all parameters that help must describe.</summary>
    public static IEnumerable<string> ParametersOf(CmdletMetadata cmdlet) =>
        cmdlet.SupportsShouldProcess ? cmdlet.Parameters.Concat(CommonParameters) : cmdlet.Parameters;

    // in CI source paths are made machine-independent; then the folder of the tests tells, unless they were built elsewhere
    private static string FindRoot([CallerFilePath] string here = "") =>
        Above(AppContext.BaseDirectory) ?? Above(Path.GetDirectoryName(here)!) ?? throw new InvalidOperationException("No ProxyShell.psd1 above the tests.");

    private static string? Above(string path)
    {
        DirectoryInfo? folder = new(path);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "ProxyShell.psd1"))) folder = folder.Parent;
        return folder?.FullName;
    }
}

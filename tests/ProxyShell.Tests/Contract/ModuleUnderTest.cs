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

/// <summary>One cmdlet class as its attributes tell it.</summary>
internal sealed record CmdletMetadata(string Name, string Verb, bool SupportsShouldProcess, IReadOnlyList<string> Parameters, IReadOnlyList<Type> OutputTypes)
{
    public static CmdletMetadata? TryRead(Type type)
    {
        CustomAttributeData? attribute = type.GetCustomAttributesData().FirstOrDefault(data => data.AttributeType == typeof(CmdletAttribute));
        if (attribute is null) return null;
        string verb = (string)attribute.ConstructorArguments[0].Value!, noun = (string)attribute.ConstructorArguments[1].Value!;
        bool asks = attribute.NamedArguments.Any(argument => argument is { MemberName: nameof(CmdletAttribute.SupportsShouldProcess), TypedValue.Value: true });
        string[] parameters = [.. type.GetProperties().Where(IsParameter).Select(property => property.Name).Order(StringComparer.Ordinal)];
        return new CmdletMetadata($"{verb}-{noun}", verb, asks, parameters, [.. ReadOutputTypes(type)]);
    }

    private static bool IsParameter(PropertyInfo property) =>
        property.GetCustomAttributesData().Any(data => data.AttributeType == typeof(ParameterAttribute));

    private static IEnumerable<Type> ReadOutputTypes(Type type) =>
        type.GetCustomAttributesData()
            .Where(data => data.AttributeType == typeof(OutputTypeAttribute))
            .SelectMany(data => (IReadOnlyCollection<CustomAttributeTypedArgument>)data.ConstructorArguments[0].Value!)
            .Select(argument => (Type)argument.Value!);
}

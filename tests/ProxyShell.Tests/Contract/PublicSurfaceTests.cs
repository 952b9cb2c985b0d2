using System.Management.Automation;
using System.Reflection;
using ProxyShell.Jobs;
using Xunit;

namespace ProxyShell.Tests.Contract;

public sealed class PublicSurfaceTests
{
    private const BindingFlags Members = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static TheoryData<string> Assemblies => ["ProxyShell", "ProxyShell.Engine"];

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void No_public_member_shows_a_type_of_a_third_party(string name)
    {
        Assembly assembly = name == "ProxyShell" ? ModuleUnderTest.Assembly : ModuleUnderTest.Engine;
        Assert.All(assembly.GetExportedTypes().SelectMany(ShownTypes).Distinct(), type => Assert.True(IsKnown(type), $"{type} of {type.Assembly.GetName().Name}"));
    }

    [Fact]
    public void The_adapter_can_be_made_by_PowerShell()
    {
        Assert.True(typeof(ProxyJobAdapter).IsPublic);
        Assert.NotNull(typeof(ProxyJobAdapter).GetConstructor(Type.EmptyTypes));
        Assert.Equal(typeof(JobSourceAdapter), typeof(ProxyJobAdapter).BaseType);
    }

    [Fact]
    public void There_is_one_adapter_for_all_jobs() =>
        Assert.Single(ModuleUnderTest.Assembly.GetExportedTypes(), type => type.IsAssignableTo(typeof(JobSourceAdapter)));

    [Fact]
    public void Every_job_type_is_a_ProxyJob() =>
        Assert.All(ModuleUnderTest.Assembly.GetExportedTypes().Where(type => type.IsAssignableTo(typeof(Job))), type => Assert.True(type.IsAssignableTo(typeof(ProxyJob)), type.Name));

    [Fact]
    public void Public_classes_are_sealed_or_abstract() =>
        Assert.All(ModuleUnderTest.Assembly.GetExportedTypes().Where(type => type.IsClass), type => Assert.True(type.IsSealed || type.IsAbstract, type.Name));

    private static IEnumerable<Type> ShownTypes(Type type) =>
    [
        .. type.GetMethods(Members).SelectMany(method => method.GetParameters().Select(parameter => parameter.ParameterType).Append(method.ReturnType)),
        .. type.GetConstructors(Members).SelectMany(constructor => constructor.GetParameters().Select(parameter => parameter.ParameterType)),
        .. type.GetProperties(Members).Select(property => property.PropertyType),
        .. type.GetFields(Members).Select(field => field.FieldType),
        .. type.GetInterfaces(),
        type.BaseType ?? typeof(object),
    ];

    private static bool IsKnown(Type type)
    {
        string? assembly = (type.HasElementType ? type.GetElementType()! : type).Assembly.GetName().Name;
        bool known = assembly is "ProxyShell" or "ProxyShell.Engine" or "netstandard" || assembly!.StartsWith("System.", StringComparison.Ordinal);
        return known && type.GenericTypeArguments.All(IsKnown);
    }
}

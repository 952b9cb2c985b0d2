using System.Management.Automation;
using System.Reflection;

namespace ProxyShell.Tests.Contract;

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

using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace ProxyShell.Engine.Tests.Architecture;

/// <summary>Reads from a compiled assembly which of its types use which others, in signatures and in code.</summary>
internal sealed class AssemblyMap : IDisposable
{
    private static readonly Dictionary<int, OpCode> OpCodesByValue = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(f => (OpCode)f.GetValue(null)!).ToDictionary(o => (int)(ushort)o.Value);

    private readonly PEReader _file;
    private readonly MetadataReader _reader;

    public AssemblyMap(string path)
    {
        _file = new PEReader(File.OpenRead(path));
        _reader = _file.GetMetadataReader();
    }

    public IEnumerable<string> References => _reader.AssemblyReferences.Select(h => _reader.GetString(_reader.GetAssemblyReference(h).Name));

    /// <summary>The types that are not nested, as namespace and name without arity.</summary>
    public IEnumerable<(string Namespace, string Name)> Types => _reader.TypeDefinitions
        .Where(h => _reader.GetTypeDefinition(h).GetDeclaringType().IsNil && !IsGenerated(h))
        .Select(h => (Namespace(h), _reader.GetString(_reader.GetTypeDefinition(h).Name).Split('`')[0]));

    /// <summary>Each use of a type of another namespace; nested and generated types count for the type around them.</summary>
    public IEnumerable<(string From, string To)> Uses()
    {
        foreach (TypeDefinitionHandle handle in _reader.TypeDefinitions)
        {
            if (IsGenerated(handle)) continue;
            foreach (TypeDefinitionHandle used in UsedBy(handle).Where(h => !IsGenerated(h) && Namespace(h) != Namespace(handle)).Distinct())
                yield return (FullName(handle), FullName(used));
        }
    }

    public void Dispose() => _file.Dispose();

    private IEnumerable<TypeDefinitionHandle> UsedBy(TypeDefinitionHandle handle)
    {
        TypeDefinition type = _reader.GetTypeDefinition(handle);
        IEnumerable<TypeDefinitionHandle> used = Resolve(type.BaseType);
        used = used.Concat(type.GetInterfaceImplementations().SelectMany(i => Resolve(_reader.GetInterfaceImplementation(i).Interface)));
        used = used.Concat(Attributes(type.GetCustomAttributes()));
        used = used.Concat(Constraints(type.GetGenericParameters()));
        used = used.Concat(type.GetFields().SelectMany(f => Field(f).Concat(Attributes(_reader.GetFieldDefinition(f).GetCustomAttributes()))));
        return used.Concat(type.GetMethods().SelectMany(Method));
    }

    private IEnumerable<TypeDefinitionHandle> Method(MethodDefinitionHandle handle)
    {
        MethodDefinition method = _reader.GetMethodDefinition(handle);
        IEnumerable<TypeDefinitionHandle> used = Signature(method).Concat(Attributes(method.GetCustomAttributes())).Concat(Constraints(method.GetGenericParameters()));
        return method.RelativeVirtualAddress == 0 ? used : used.Concat(Body(_file.GetMethodBody(method.RelativeVirtualAddress)));
    }

    private List<TypeDefinitionHandle> Body(MethodBodyBlock body)
    {
        var used = new List<TypeDefinitionHandle>();
        if (!body.LocalSignature.IsNil) used.AddRange(_reader.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(TypeCollector.Instance, null).SelectMany(t => t));
        used.AddRange(body.ExceptionRegions.SelectMany(r => Resolve(r.CatchType)));
        BlobReader code = body.GetILReader();
        while (code.RemainingBytes > 0)
        {
            int value = code.ReadByte();
            if (value == 0xfe) value = (value << 8) | code.ReadByte();
            switch (OpCodesByValue[value].OperandType)
            {
                case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType:
                    used.AddRange(Resolve(MetadataTokens.EntityHandle(code.ReadInt32())));
                    break;
                case OperandType.InlineSwitch:
                    int targets = code.ReadInt32();
                    code.Offset += 4 * targets;
                    break;
                case var operand:
                    code.Offset += Length(operand);
                    break;
            }
        }
        return used;
    }

    private static int Length(OperandType operand) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        _ => 4,
    };

    private IEnumerable<TypeDefinitionHandle> Resolve(EntityHandle handle)
    {
        if (handle.IsNil) return [];
        return handle.Kind switch
        {
            HandleKind.TypeDefinition => [(TypeDefinitionHandle)handle],
            HandleKind.TypeSpecification => _reader.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(TypeCollector.Instance, null),
            HandleKind.FieldDefinition => Field((FieldDefinitionHandle)handle).Append(_reader.GetFieldDefinition((FieldDefinitionHandle)handle).GetDeclaringType()),
            HandleKind.MethodDefinition => Called(_reader.GetMethodDefinition((MethodDefinitionHandle)handle)),
            HandleKind.MemberReference => Member(_reader.GetMemberReference((MemberReferenceHandle)handle)),
            HandleKind.MethodSpecification => Generic(_reader.GetMethodSpecification((MethodSpecificationHandle)handle)),
            _ => [],
        };
    }

    private static IEnumerable<TypeDefinitionHandle> Called(MethodDefinition method) => Signature(method).Append(method.GetDeclaringType());

    private IEnumerable<TypeDefinitionHandle> Generic(MethodSpecification method) =>
        Resolve(method.Method).Concat(method.DecodeSignature(TypeCollector.Instance, null).SelectMany(t => t));

    private IEnumerable<TypeDefinitionHandle> Member(MemberReference member) => member.GetKind() == MemberReferenceKind.Field
        ? Resolve(member.Parent).Concat(member.DecodeFieldSignature(TypeCollector.Instance, null))
        : Resolve(member.Parent).Concat(All(member.DecodeMethodSignature(TypeCollector.Instance, null)));

    private IEnumerable<TypeDefinitionHandle> Field(FieldDefinitionHandle handle) => _reader.GetFieldDefinition(handle).DecodeSignature(TypeCollector.Instance, null);

    private static IEnumerable<TypeDefinitionHandle> Signature(MethodDefinition method) => All(method.DecodeSignature(TypeCollector.Instance, null));

    private static IEnumerable<TypeDefinitionHandle> All(MethodSignature<IEnumerable<TypeDefinitionHandle>> signature) =>
        signature.ParameterTypes.SelectMany(t => t).Concat(signature.ReturnType);

    private IEnumerable<TypeDefinitionHandle> Attributes(CustomAttributeHandleCollection attributes) =>
        attributes.SelectMany(a => Resolve(_reader.GetCustomAttribute(a).Constructor));

    private IEnumerable<TypeDefinitionHandle> Constraints(GenericParameterHandleCollection parameters) => parameters
        .SelectMany(p => _reader.GetGenericParameter(p).GetConstraints())
        .SelectMany(c => Resolve(_reader.GetGenericParameterConstraint(c).Type));

    private TypeDefinitionHandle Outermost(TypeDefinitionHandle handle)
    {
        while (_reader.GetTypeDefinition(handle).GetDeclaringType() is { IsNil: false } around) handle = around;
        return handle;
    }

    private string Namespace(TypeDefinitionHandle handle) => _reader.GetString(_reader.GetTypeDefinition(Outermost(handle)).Namespace);

    private string FullName(TypeDefinitionHandle handle) => $"{Namespace(handle)}.{_reader.GetString(_reader.GetTypeDefinition(Outermost(handle)).Name)}";

    // what the compiler adds for itself is called <…>, or stands outside the engine's namespaces
    private bool IsGenerated(TypeDefinitionHandle handle) =>
        !Namespace(handle).StartsWith("ProxyShell.", StringComparison.Ordinal) || _reader.GetString(_reader.GetTypeDefinition(Outermost(handle)).Name).StartsWith('<');
}

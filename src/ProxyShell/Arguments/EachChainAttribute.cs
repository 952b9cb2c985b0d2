using System.Collections;
using System.Management.Automation;

namespace ProxyShell.Arguments;

/// <summary>Takes an array as several chains, and an array in it as one chain of several hops.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class EachChainAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc />
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) => (inputData is PSObject wrapped ? wrapped.BaseObject : inputData) switch
    {
        null => null!,
        ChainArgument one => new[] { one },
        IList many => many.Cast<object>().Select(item => item as ChainArgument ?? new ChainArgument(item)).ToArray(),
        _ => new[] { new ChainArgument(inputData) },
    };
}

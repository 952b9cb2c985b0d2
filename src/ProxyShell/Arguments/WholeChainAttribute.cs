using System.Management.Automation;

namespace ProxyShell.Arguments;

/// <summary>Takes an array as one chain: PowerShell's own conversion gives no array to a parameter that is not one.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class WholeChainAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc />
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) =>
        inputData is null or ChainArgument ? inputData! : new ChainArgument(inputData);
}

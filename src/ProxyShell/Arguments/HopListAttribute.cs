using System.Collections;
using System.Management.Automation;

namespace ProxyShell.Arguments;

/// <summary>
/// Takes hops as they come, each on its own: PowerShell's own conversion would reject a whole list for a nested array in it,
/// with words that explain nothing. Even null becomes a hop argument, which then says what is wrong with it.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class HopListAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc />
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object? value = inputData is PSObject { BaseObject: not PSCustomObject } wrapped ? wrapped.BaseObject : inputData;
        return value switch
        {
            HopArgument[] => value,
            IList list => list.Cast<object>().Select(AsHop).ToArray(),
            _ => new[] { AsHop(value!) },
        };
    }

    private static HopArgument AsHop(object item) => item as HopArgument ?? new HopArgument(item);
}

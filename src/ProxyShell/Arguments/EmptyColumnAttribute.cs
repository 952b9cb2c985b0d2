using System.Management.Automation;

namespace ProxyShell.Arguments;

/// <summary>Takes an empty column of a file as nothing said: PowerShell's own conversion makes it 0, which lifts limits.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class EmptyColumnAttribute : ArgumentTransformationAttribute
{
    /// <summary>What it means for a parameter that cannot be null.</summary>
    public object? Means { get; set; }

    /// <inheritdoc />
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) =>
        (inputData is PSObject wrapped ? wrapped.BaseObject : inputData) is string text && string.IsNullOrWhiteSpace(text) ? Means! : inputData;
}

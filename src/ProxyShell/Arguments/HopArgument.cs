using System.Collections;
using System.Management.Automation;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Security;
using ProxyShell.Jobs;

namespace ProxyShell.Arguments;

/// <summary>
/// A hop as users write it: a URI, a ProxyHop, a ProxyServerJob or a record with a Uri column (see <see cref="HopRecord"/>); where chains are
/// made also a whole ProxyChain, or an array of alternates (see <see cref="PlaceReader"/>).
/// It is read when the cmdlet asks, so that a bad one is one error about that one.
/// </summary>
public sealed class HopArgument
{
    private readonly object? _value;

    /// <summary>A hop URI.</summary>
    public HopArgument(string uri) => _value = uri;

    /// <summary>Anything else that is or names a hop.</summary>
    public HopArgument(object value)
    {
        _value = value is PSObject { BaseObject: not PSCustomObject } wrapped ? wrapped.BaseObject : value;
        if (_value is IEnumerable list and not (string or IDictionary) && !HopRecord.IsRecord(_value)) Items = [.. list.Cast<object>().Select(item => item as HopArgument ?? new HopArgument(item))];
    }

    /// <summary>What the user gave.</summary>
    internal object? Value => _value;

    /// <summary>What the user gave, for error records; keys in it are masked.</summary>
    internal object? Target => _value is string or Uri || Items is not null ? ToString() : _value;

    /// <summary>The items of an array; null when it is none.</summary>
    internal IReadOnlyList<HopArgument>? Items { get; }

    /// <summary>The group that a record says it belongs to, or null.</summary>
    internal string? GroupName => HopRecord.IsRecord(_value) ? HopRecord.GroupOf(PSObject.AsPSObject(_value)) : null;

    /// <summary>The payload key that a whole chain brings along, or null.</summary>
    internal ProxyKey? PayloadKey => (_value as ProxyChain)?.PayloadKey;

    /// <summary>The payload key of a chain made of these: the last one wins, as with <c>$a + $b</c>.</summary>
    internal static ProxyKey? PayloadKeyOf(IEnumerable<HopArgument> items) => items.Select(item => item.PayloadKey).LastOrDefault(key => key is not null);

    /// <summary>The hop meant.</summary>
    /// <exception cref="FormatException">It is no hop, or more than one.</exception>
    internal ProxyHop ResolveHop() => _value switch
    {
        string text => ProxyHop.Parse(text),
        Uri uri => ProxyHop.Parse(uri.OriginalString),
        ProxyHop hop => hop,
        ProxyServerJob job => FromJob(job),
        ProxyJob other => throw new FormatException($"The job '{other.Name}' is an {other.PSJobTypeName}, not a proxy server, so it cannot be a hop."),
        ProxyChain { Count: 1 } chain => chain.Hops[0],
        ProxyChain chain => throw new FormatException($"'{chain}' is a chain of {chain.Count} hops, where one hop is wanted."),
        PSObject record => HopRecord.Read(record),
        IDictionary => throw new FormatException("A hashtable is no hop: give its values to New-ProxyHop (New-ProxyHop @table)."),
        not IEnumerable when HopRecord.IsRecord(_value) => HopRecord.Read(PSObject.AsPSObject(_value)),
        IEnumerable => throw new FormatException("An array is given where one hop is wanted; within -Hop of New-ProxyChain an array is a group of alternates, and an array within that one alternate of several hops."),
        _ => throw new FormatException($"{(_value is null ? "Nothing ($null)" : $"'{this}'")} is not a hop: give a URI such as relay://127.0.0.1:4101, a ProxyHop or a ProxyServerJob."),
    };

    /// <summary>The user's text, with a key in it masked.</summary>
    public override string ToString() => _value switch
    {
        string text => SecretMask.Hide(text),
        Uri uri => SecretMask.Hide(uri.OriginalString),
        ProxyJob job => job.Name,
        PSObject or IDictionary => "a record",
        null => "nothing",
        not null when Items is not null => $"({string.Join(" | ", Items)})",
        _ => _value.ToString() ?? "",
    };

    private static ProxyHop FromJob(ProxyServerJob job) =>
        job.JobStateInfo.State == JobState.Running
            ? job.ToHop()
            : throw new FormatException($"The proxy server '{job.Name}' is {job.JobStateInfo.State}, so it cannot be a hop.");
}

using System.Collections;
using System.Management.Automation;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Security;
using ProxyShell.Jobs;

namespace ProxyShell.Arguments;

/// <summary>
/// A hop as users write it: a URI, a ProxyHop, a ProxyServerJob, a whole ProxyChain, or a record with a Uri column (see <see cref="HopRecord"/>).
/// It is read when the cmdlet asks, so that a bad one is one error about that one.
/// </summary>
public sealed class HopArgument
{
    private readonly object? _value;

    /// <summary>A hop URI.</summary>
    public HopArgument(string uri) => _value = uri;

    /// <summary>Anything else that is or names a hop.</summary>
    public HopArgument(object value) => _value = value is PSObject { BaseObject: not PSCustomObject } wrapped ? wrapped.BaseObject : value;

    /// <summary>What the user gave, for error records; keys in it are masked.</summary>
    internal object? Target => _value is string or Uri ? ToString() : _value;

    /// <summary>The payload key that a whole chain brings along, or null.</summary>
    internal ProxyKey? PayloadKey => (_value as ProxyChain)?.PayloadKey;

    /// <summary>The payload key of a chain made of these: the last one wins, as with <c>$a + $b</c>.</summary>
    internal static ProxyKey? PayloadKeyOf(IEnumerable<HopArgument> items) => items.Select(item => item.PayloadKey).LastOrDefault(key => key is not null);

    /// <summary>The hops meant: one, or those of a chain.</summary>
    /// <exception cref="FormatException">It is no hop.</exception>
    internal IReadOnlyList<ProxyHop> Resolve() => _value switch
    {
        string text => [ProxyHop.Parse(text)],
        Uri uri => [ProxyHop.Parse(uri.OriginalString)],
        ProxyHop hop => [hop],
        ProxyChain chain => chain.Hops,
        ProxyServerJob job => [FromJob(job)],
        ProxyJob other => throw new FormatException($"The job '{other.Name}' is an {other.PSJobTypeName}, not a proxy server, so it cannot be a hop."),
        PSObject record => [HopRecord.Read(record)],
        IDictionary => throw new FormatException("A hashtable is no hop: give its values to New-ProxyHop (New-ProxyHop @table)."),
        not IEnumerable when HopRecord.IsRecord(_value) => [HopRecord.Read(PSObject.AsPSObject(_value))],
        IEnumerable => throw new FormatException("A nested array means a group of alternate hops, which this version does not support: give each place in the chain one hop."),
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
        _ => _value.ToString() ?? "",
    };

    private static ProxyHop FromJob(ProxyServerJob job) =>
        job.JobStateInfo.State == JobState.Running
            ? job.ToHop()
            : throw new FormatException($"The proxy server '{job.Name}' is {job.JobStateInfo.State}, so it cannot be a hop.");
}

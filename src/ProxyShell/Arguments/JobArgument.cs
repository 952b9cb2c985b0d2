using System.Globalization;
using System.Management.Automation;
using ProxyShell.Jobs;

namespace ProxyShell.Arguments;

/// <summary>A job of this module as users name it: the job, its id, its name with wildcards, or a record with its name.</summary>
public sealed class JobArgument
{
    private readonly object? _value;

    /// <summary>A name, with wildcards.</summary>
    public JobArgument(string name) => _value = name;

    /// <summary>A job, its id, or a record with its name, such as a row of a CSV file.</summary>
    public JobArgument(object value) => _value = value is not PSObject wrapped ? value
        : wrapped.BaseObject is PSCustomObject && wrapped.Properties["Name"]?.Value is string name ? name
        : wrapped.BaseObject;

    /// <summary>What the user gave.</summary>
    internal object? Target => _value;

    /// <summary>The jobs meant, of all sessions of this process; none when there is none.</summary>
    internal IReadOnlyList<ProxyJob> Resolve() => _value switch
    {
        ProxyJob job => [job],
        Job => [],
        int id => [.. SessionJobs.OfProcess().Where(job => job.Id == id)],
        _ => Named(ToString()),
    };

    /// <summary>Whether naming nothing is fine, as it is for wildcards.</summary>
    internal bool MayBeNone => _value is string name && WildcardPattern.ContainsWildcardCharacters(name);

    /// <summary>The job's name, or the user's text.</summary>
    public override string ToString() => _value is Job job ? job.Name : Convert.ToString(_value, CultureInfo.InvariantCulture) ?? "";

    private static IReadOnlyList<ProxyJob> Named(string name)
    {
        var pattern = new WildcardPattern(name, WildcardOptions.IgnoreCase);
        return [.. SessionJobs.OfProcess().Where(job => pattern.IsMatch(job.Name))];
    }
}

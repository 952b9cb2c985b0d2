using System.Management.Automation;
using ProxyShell.Engine.Chains;

namespace ProxyShell.Arguments;

/// <summary>
/// A hop as a record, such as a row of a CSV file: a column Uri (or Hop), and if need be Key, Thumbprint and ServerName.
/// The columns are read here and not bound to parameters by name: when binding fails PowerShell leaves the row out and goes on,
/// and a chain would silently be shorter than the file.
/// </summary>
internal static class HopRecord
{
    private static readonly string[] UriColumns = ["Uri", "Hop"];

    public static bool IsRecord(object? value) => value is not null && UriOf(PSObject.AsPSObject(value)) is not null;

    /// <summary>The hop with what its columns say; empty columns say nothing.</summary>
    /// <exception cref="FormatException">No Uri, or a value that is not valid.</exception>
    public static ProxyHop Read(PSObject record)
    {
        string uri = UriOf(record) ?? throw new FormatException(
            $"A record with the columns {string.Join(", ", record.Properties.Select(property => property.Name))} is not a hop: it needs a column Uri with a hop URI in it.");
        var key = new KeyArgument(record.Properties["Key"]?.Value!);
        return new HopSettings(key.IsEmpty ? null : key, Text(record, "Thumbprint"), Text(record, "ServerName")).ApplyTo(ProxyHop.Parse(uri));
    }

    private static string? UriOf(PSObject record) => UriColumns.Select(name => Text(record, name)).FirstOrDefault(text => text is not null);

    private static string? Text(PSObject record, string column) =>
        record.Properties[column]?.Value?.ToString() is { } text && !string.IsNullOrWhiteSpace(text) ? text : null;
}

using System.Globalization;
using System.Management.Automation;

namespace ProxyShell.Arguments;

/// <summary>The columns about sessions.</summary>
internal static partial class HopRecord
{
    private static readonly TimeArgumentAttribute Times = new() { MayBeInfinite = true };

    private static SessionSettings SessionsOf(PSObject record) =>
        new(Number(record, "MaxSessions"), Number(record, "MaxChannels"), Time(record, "SessionIdleTimeout"), Time(record, "KeepAlive"));

    private static int? Number(PSObject record, string column) => Text(record, column) is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number
        : throw new FormatException($"The column {column} holds '{text}', which is not a whole number.");

    private static TimeSpan? Time(PSObject record, string column)
    {
        if (Text(record, column) is not { } text) return null;
        try
        {
            return (TimeSpan)Times.Transform(null!, text);
        }
        catch (ArgumentTransformationMetadataException e)
        {
            throw new FormatException($"Column {column}: {e.Message}", e);
        }
    }
}

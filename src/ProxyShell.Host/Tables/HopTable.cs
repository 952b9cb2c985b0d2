using System.Globalization;
using ProxyShell.Engine.Chains;

namespace ProxyShell.Host.Tables;

/// <summary>The results of a chain test as a table.</summary>
internal static class HopTable
{
    public static void Write(TextWriter writer, IEnumerable<HopTestResult> results)
    {
        var table = new TextTable("Hop", "Kind", "Endpoint", "Dial (ms)", "Handshake (ms)", "RoundTrip (ms)", "Session", "Status", "Error");
        foreach (HopTestResult result in results)
        {
            table.Add(
                result.Hop.ToString(CultureInfo.InvariantCulture), result.Kind, result.Endpoint,
                Milliseconds(result.Dial), Milliseconds(result.Handshake), Milliseconds(result.RoundTrip), Session(result.Session), result.Status.ToString(), result.Error?.Message ?? "");
        }
        table.Write(writer);
    }

    private static string Session(SessionUse use) => use == SessionUse.None ? "" : use.ToString();

    private static string Milliseconds(TimeSpan? time) => time?.TotalMilliseconds.ToString("0.00", CultureInfo.InvariantCulture) ?? "";
}

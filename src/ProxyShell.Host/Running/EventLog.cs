using System.Globalization;
using System.Text;
using System.Text.Json;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Host.Running;

/// <summary>Writes events as lines. A line is written whole or not at all, whoever writes at the same time.</summary>
internal sealed class EventLog(TextWriter writer, LogFormat format, LogLevel least) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly FailureThrottle _throttle = new(TimeProvider.System);

    /// <summary>The kinds of events of which any may be written.</summary>
    public IReadOnlyCollection<ProxyEventKind> Kinds { get; } = [.. Enum.GetValues<ProxyEventKind>().Where(kind => HighestLevelOf(kind) >= least)];

    public void OnEvent(object? sender, ProxyEvent item)
    {
        LogLevel level = LevelOf(item);
        if (level < least) return;
        if (item.Kind is ProxyEventKind.Failed or ProxyEventKind.Refused && !_throttle.Admits(item.Service, Write)) return;
        Line(level, item.Time, item.Message, item);
    }

    public void Write(LogLevel level, string message)
    {
        if (level >= least) Line(level, DateTimeOffset.UtcNow, message, null);
    }

    public void Dispose() => _throttle.Finish(Write);

    private static LogLevel LevelOf(ProxyEvent item) => item.Kind switch
    {
        // one that was lost has a reason
        ProxyEventKind.Session or ProxyEventKind.Stripe when item.Reason == ProxyErrorReason.None => LogLevel.Info,
        var kind => HighestLevelOf(kind),
    };

    private static LogLevel HighestLevelOf(ProxyEventKind kind) => kind switch
    {
        ProxyEventKind.Opened or ProxyEventKind.Closed or ProxyEventKind.HttpRequest => LogLevel.Debug,
        ProxyEventKind.Started or ProxyEventKind.Stopped or ProxyEventKind.Reconfigured => LogLevel.Info,
        _ => LogLevel.Warning,
    };

    private void Line(LogLevel level, DateTimeOffset time, string message, ProxyEvent? item)
    {
        string line = format == LogFormat.Json ? Json(level, time, message, item) : Text(level, time, message, item);
        lock (_gate)
        {
            try
            {
                writer.WriteLine(line);
            }
            catch (IOException)
            {
                // whoever read the log is gone; the services go on
            }
        }
    }

    private static string Text(LogLevel level, DateTimeOffset time, string message, ProxyEvent? item)
    {
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture, $"{time:yyyy-MM-ddTHH:mm:ss.fffZ} {NameOf(level)} ");
        if (item is not null) line.Append(CultureInfo.InvariantCulture, $"{item.Service}: ");
        line.Append(message.ReplaceLineEndings(" "));
        if (item?.Connection is not { } connection) return line.ToString();
        line.Append(CultureInfo.InvariantCulture, $" [connection {connection.Id} from {connection.Client}");
        if (connection.Destination.Length > 0) line.Append(CultureInfo.InvariantCulture, $" to {connection.Destination}");
        if (connection.IsEnded) line.Append(CultureInfo.InvariantCulture, $", {connection.BytesSent} bytes sent, {connection.BytesReceived} received");
        return line.Append(']').ToString();
    }

    private static string Json(LogLevel level, DateTimeOffset time, string message, ProxyEvent? item)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("time", time);
            json.WriteString("level", NameOf(level));
            if (item is not null) WriteEvent(json, item);
            json.WriteString("message", message);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void WriteEvent(Utf8JsonWriter json, ProxyEvent item)
    {
        json.WriteString("service", item.Service);
        json.WriteString("event", item.Kind.ToString());
        if (item.Reason != ProxyErrorReason.None) json.WriteString("reason", item.Reason.ToString());
        if (item.Connection is not { } connection) return;
        json.WriteNumber("connection", connection.Id);
        json.WriteString("client", connection.Client);
        json.WriteString("destination", connection.Destination);
        json.WriteString("chain", connection.Chain);
        json.WriteNumber("bytesSent", connection.BytesSent);
        json.WriteNumber("bytesReceived", connection.BytesReceived);
    }

    private static string NameOf(LogLevel level) => level switch
    {
        LogLevel.Debug => "debug",
        LogLevel.Info => "info",
        LogLevel.Warning => "warning",
        _ => "error",
    };
}

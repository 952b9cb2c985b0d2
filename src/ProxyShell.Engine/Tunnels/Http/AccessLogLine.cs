using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Tunnels.Http;

/// <summary>A request as a line of an access log.</summary>
internal static class AccessLogLine
{
    public static void Write(ArrayBufferWriter<byte> output, HttpRequestRecord request, AccessLogFormat format)
    {
        if (format == AccessLogFormat.Json) WriteJson(output, request);
        else output.Write(Encoding.ASCII.GetBytes(Combined(request)));
        output.Write("\n"u8);
    }

    private static void WriteJson(ArrayBufferWriter<byte> output, HttpRequestRecord request)
    {
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("time"u8, request.Time);
        json.WriteString("client"u8, request.Client);
        if (request.User.Length > 0) json.WriteString("user"u8, request.User);
        json.WriteString("scheme"u8, request.Scheme);
        json.WriteString("method"u8, request.Method);
        json.WriteString("host"u8, request.Host);
        json.WriteString("path"u8, request.Path);
        json.WriteString("version"u8, request.Version);
        json.WriteNumber("status"u8, request.Status);
        json.WriteNumber("bytesSent"u8, request.BytesSent);
        json.WriteNumber("bytesReceived"u8, request.BytesReceived);
        if (request.TimeToFirstByte is { } first) json.WriteNumber("firstByteMs"u8, Milliseconds(first));
        json.WriteNumber("durationMs"u8, Milliseconds(request.Duration));
        json.WriteString("tunnel"u8, request.Tunnel);
        if (request.Reason.Length > 0) json.WriteString("reason"u8, request.Reason);
        if (request.Referer.Length > 0) json.WriteString("referer"u8, request.Referer);
        if (request.UserAgent.Length > 0) json.WriteString("userAgent"u8, request.UserAgent);
        json.WriteEndObject();
    }

    // as web servers write it: client, identity (never known), user, time, request line, status, bytes, referer, user agent
    private static string Combined(HttpRequestRecord request)
    {
        string time = request.Time.UtcDateTime.ToString("dd/MMM/yyyy:HH:mm:ss", CultureInfo.InvariantCulture);
        string line = request.Method.Length == 0 ? "-" : $"{request.Method} {request.Path} HTTP/{request.Version}";
        string bytes = request.BytesReceived == 0 ? "-" : request.BytesReceived.ToString(CultureInfo.InvariantCulture);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Word(request.Client)} - {Word(request.User)} [{time} +0000] {Quoted(line)} {request.Status:000} {bytes} {Quoted(request.Referer)} {Quoted(request.UserAgent)}");
    }

    private static string Word(string text) => text.Length == 0 ? "-" : text.Replace(' ', '_');

    private static string Quoted(string text) =>
        text.Length == 0 ? "\"-\"" : $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 3);
}

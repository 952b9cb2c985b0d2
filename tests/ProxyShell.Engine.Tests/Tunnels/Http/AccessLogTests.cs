using System.Text.Json;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Tunnels.Http;

namespace ProxyShell.Engine.Tests.Tunnels.Http;

/// <summary>Every request gets its line, and nobody waits for the disk.</summary>
public class AccessLogTests
{
    private static readonly HttpRequestRecord Example = new()
    {
        Time = new DateTimeOffset(2026, 11, 21, 9, 30, 15, 500, TimeSpan.Zero),
        Client = "192.0.2.7",
        User = "jo e",
        Scheme = "https",
        Method = "GET",
        Host = "app.example.org",
        Path = "/a\"b\\c?d=1",
        Status = 206,
        BytesSent = 12,
        BytesReceived = 2326,
        TimeToFirstByte = TimeSpan.FromMilliseconds(1.25),
        Duration = TimeSpan.FromMilliseconds(12.5),
        Tunnel = "app.example.org",
        Referer = "http://a/",
        UserAgent = "curl/8 \"x\"",
    };

    [Fact]
    public void A_line_of_JSON_says_all()
    {
        string line = Line(Example, AccessLogFormat.Json);
        Assert.EndsWith("}\n", line, StringComparison.Ordinal);
        JsonElement json = JsonDocument.Parse(line).RootElement;
        Assert.Equal(("192.0.2.7", "jo e", "https", "GET"), (Text("client"), Text("user"), Text("scheme"), Text("method")));
        Assert.Equal(("app.example.org", "/a\"b\\c?d=1", "1.1", "app.example.org"), (Text("host"), Text("path"), Text("version"), Text("tunnel")));
        Assert.Equal((206, 12, 2326), (json.GetProperty("status").GetInt32(), json.GetProperty("bytesSent").GetInt64(), json.GetProperty("bytesReceived").GetInt64()));
        Assert.Equal((1.25, 12.5), (json.GetProperty("firstByteMs").GetDouble(), json.GetProperty("durationMs").GetDouble()));
        Assert.Equal(Example.Time, json.GetProperty("time").GetDateTimeOffset());
        Assert.False(json.TryGetProperty("reason", out _));

        string? Text(string name) => json.GetProperty(name).GetString();
    }

    [Fact]
    public void A_combined_line_is_what_the_tools_read()
    {
        Assert.Equal(
            "192.0.2.7 - jo_e [21/Nov/2026:09:30:15 +0000] \"GET /a\\\"b\\\\c?d=1 HTTP/1.1\" 206 2326 \"http://a/\" \"curl/8 \\\"x\\\"\"\n",
            Line(Example, AccessLogFormat.Combined));
        Assert.Equal(
            "192.0.2.7 - - [21/Nov/2026:09:30:15 +0000] \"-\" 400 - \"-\" \"-\"\n",
            Line(Example with { User = "", Method = "", Status = 400, BytesReceived = 0, Referer = "", UserAgent = "" }, AccessLogFormat.Combined));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Requests_are_told_to_subscribers_and_to_the_file(string sockets)
    {
        using var folder = new ScratchFolder();
        var told = new List<ProxyEvent>();
        await using (WebOrigin origin = WebOrigin.Answering(WebOrigin.Ok("hello")))
        {
            await using PublicSite site = await PublicSite.StartAsync(sockets, o => o with { AccessLog = new AccessLogOptions { Path = folder.File("access.log") } });
            site.Register(origin.Port);
            site.Gateway.EventWritten += (_, e) =>
            {
                lock (told) told.Add(e);
            };
            await site.AskAsync(PublicSite.Request("POST", "/a?b", "User-Agent: test/1", "Content-Length: 3") + "abc");
            // a request is told of behind its answer
            await site.RecordsAsync(1);
            await site.AskAsync("GET / HTTP/1.1\r\nHost: nobody\r\n\r\n");
            await site.RecordsAsync(2);
            await site.AskAsync("GET /\n");
            IReadOnlyList<HttpRequestRecord> records = await site.RecordsAsync(3);
            Assert.Equal(("POST", PublicSite.Host, "/a?b", 200, 3L, 5L), (records[0].Method, records[0].Host, records[0].Path, records[0].Status, records[0].BytesSent, records[0].BytesReceived));
            Assert.Equal(("127.0.0.1", "http", PublicSite.Host, "test/1", ""), (records[0].Client, records[0].Scheme, records[0].Tunnel, records[0].UserAgent, records[0].Reason));
            Assert.InRange(records[0].TimeToFirstByte!.Value, TimeSpan.FromTicks(1), records[0].Duration);
            Assert.Equal((404, "unknown-host", ""), (records[1].Status, records[1].Reason, records[1].Tunnel));
            Assert.Equal((400, "bad-request"), (records[2].Status, records[2].Reason));
        }
        string[] lines = await File.ReadAllLinesAsync(folder.File("access.log"));
        Assert.Equal([200, 404, 400], lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("status").GetInt32()));
        lock (told) Assert.Equal(3, told.Count(e => e is { Kind: ProxyEventKind.HttpRequest, Request: not null }));
    }

    [Fact]
    public async Task The_file_is_begun_anew_at_its_size()
    {
        using var folder = new ScratchFolder();
        string path = folder.File("access.log");
        var options = new AccessLogOptions { Path = path, MaxLength = 1000, KeptFiles = 2, Format = AccessLogFormat.Combined };
        for (int i = 0; i < 10; i++)
        {
            // one that was there before is continued
            await using var log = new AccessLog(options, TimeProvider.System, Assert.Fail);
            for (int k = 0; k < 3; k++) log.Write(Example with { Path = $"/{i}" });
        }
        Assert.Equal(["access.log", "access.log.1", "access.log.2"], Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order());
        Assert.All(Directory.GetFiles(folder.Path), file => Assert.InRange(new FileInfo(file).Length, 100, 1000));
        Assert.Contains("/9 HTTP", (await File.ReadAllLinesAsync(path))[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disk_that_fails_is_told_of_once_and_tried_again()
    {
        using var folder = new ScratchFolder();
        var time = new ManualTime();
        var told = new List<string>();
        string path = folder.File(Path.Combine("sub", "access.log"));
        await using var log = new AccessLog(new AccessLogOptions { Path = path }, time, message =>
        {
            lock (told) told.Add(message);
        });
        for (int i = 1; i <= 3; i++)
        {
            int lost = i;
            log.Write(Example);
            await Deadline.Until(() => log.Dropped == lost && time.Timers == 1, $"{lost} lines are lost, and the log waits");
            time.Advance(TimeSpan.FromSeconds(5));
        }
        Assert.StartsWith($"cannot write the access log '{path}': ", Assert.Single(told), StringComparison.Ordinal);
        Directory.CreateDirectory(folder.File("sub"));
        log.Write(Example);
        await Deadline.Until(() => File.Exists(path) && new FileInfo(path).Length > 0, "the line is in the file");
        await Deadline.Until(() => told.Count == 2, "it is said that the log works again");
        Assert.Equal($"the access log '{path}' is written again; 3 lines are missing", told[1]);
    }

    [Fact]
    public async Task Who_writes_never_waits()
    {
        using var folder = new ScratchFolder();
        var time = new ManualTime();
        await using var log = new AccessLog(new AccessLogOptions { Path = folder.File(Path.Combine("no", "log")) }, time, _ => { });
        for (int i = 0; i < 40_000; i++) log.Write(Example);
        await Deadline.Until(() => log.Dropped > 20_000, "what does not fit is dropped");
    }

    private static string Line(HttpRequestRecord request, AccessLogFormat format)
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        AccessLogLine.Write(output, request, format);
        return System.Text.Encoding.UTF8.GetString(output.WrittenSpan);
    }
}

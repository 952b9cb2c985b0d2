using System.Text;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Http;

namespace ProxyShell.Engine.Tests.Protocols.Http;

public class HttpRequestHeadTests
{
    [Fact]
    public void A_request_is_taken_apart()
    {
        HttpRequestHead head = Read("GET http://Example.com:8080/a/b?c=d HTTP/1.1\r\nHOST: example.com:8080\r\nX-Two:  a \t\r\nx-two: b\r\nEmpty:\r\n\r\n");
        Assert.Equal(("GET", HttpTargetForm.Absolute, 1), (head.Method, head.Form, head.Minor));
        Assert.Equal(new HostEndpoint("Example.com", 8080), head.Endpoint);
        Assert.Equal(("Example.com:8080", "/a/b?c=d"), (Text(head.Authority), Text(head.Path)));
        Assert.Equal(["HOST=example.com:8080", "X-Two=a", "x-two=b", "Empty="], Fields(head.Fields));
        Assert.Equal(HttpBody.None, head.Body);
    }

    [Theory]
    [InlineData("GET http://a HTTP/1.1", "a", 80, "a", "")]
    [InlineData("GET http://a? HTTP/1.1", "a", 80, "a", "?")]
    [InlineData("GET HTTP://a:/ HTTP/1.1", "a", 80, "a:", "/")]
    [InlineData("GET http://[::1]:81/x?http://b/ HTTP/1.1", "::1", 81, "[::1]:81", "/x?http://b/")]
    [InlineData("GET http://[2001:db8::5]/ HTTP/1.1", "2001:db8::5", 80, "[2001:db8::5]", "/")]
    [InlineData("OPTIONS http://a:65535 HTTP/1.1", "a", 65535, "a:65535", "")]
    [InlineData("CONNECT a_b.example:443 HTTP/1.1", "a_b.example", 443, "a_b.example:443", "")]
    [InlineData("CONNECT [::1]:443 HTTP/1.0", "::1", 443, "[::1]:443", "")]
    [InlineData("X-M!#$ http://a/{}|\\^`\"<> HTTP/1.0", "a", 80, "a", "/{}|\\^`\"<>")]
    public void Targets(string line, string host, int port, string authority, string path)
    {
        HttpRequestHead head = Read(line + "\r\nHost: whatever\r\n\r\n");
        Assert.Equal(new HostEndpoint(host, port), head.Endpoint);
        Assert.Equal((authority, path), (Text(head.Authority), Text(head.Path)));
    }

    [Theory]
    [InlineData("", HttpBodyKind.None, 0)]
    [InlineData("Content-Length: 0\r\n", HttpBodyKind.None, 0)]
    [InlineData("content-length: 007\r\n", HttpBodyKind.Length, 7)]
    [InlineData("Content-Length: 999999999999999999\r\n", HttpBodyKind.Length, 999999999999999999)]
    [InlineData("Transfer-Encoding: chunked\r\n", HttpBodyKind.Chunked, 0)]
    [InlineData("TRANSFER-ENCODING: \t, Chunked ,\r\n", HttpBodyKind.Chunked, 0)]
    internal void Bodies(string fields, HttpBodyKind kind, long length) =>
        Assert.Equal(new HttpBody(kind, length), Read($"POST http://a/ HTTP/1.1\r\nHost: a\r\n{fields}\r\n").Body);

    [Theory]
    [InlineData("GET http://a/ HTTP/1.1", "", true)]
    [InlineData("GET http://a/ HTTP/1.1", "Connection: keep-alive, Close\r\n", false)]
    [InlineData("GET http://a/ HTTP/1.1", "Connection: a\r\nConnection: close\r\n", false)]
    [InlineData("GET http://a/ HTTP/1.0", "Connection: keep-alive\r\n", false)]
    public void Keeping_the_connection(string line, string fields, bool keeps) =>
        Assert.Equal(keeps, Read($"{line}\r\nHost: a\r\n{fields}\r\n").KeepsAlive);

    [Theory]
    [InlineData("GET http://a/ HTTP/1.1", "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n", true)]
    [InlineData("GET http://a/ HTTP/1.1", "Upgrade: websocket\r\n", false)]
    [InlineData("GET http://a/ HTTP/1.1", "Connection: Upgrade\r\nUpgrade: h2c\r\n", false)]
    [InlineData("GET http://a/ HTTP/1.0", "Connection: Upgrade\r\nUpgrade: websocket\r\n", false)]
    [InlineData("POST http://a/ HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n", false)]
    [InlineData("GET http://a/ HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n", false)]
    public void Asking_for_WebSocket(string line, string fields, bool wants) =>
        Assert.Equal(wants, Read($"{line}\r\nHost: a\r\n{fields}\r\n").WantsWebSocket);

    public static TheoryData<string> Faults => new(BadRequests.Heads.Select(b => b.Name));

    [Theory]
    [MemberData(nameof(Faults))]
    public void What_is_no_request_is_refused(string name)
    {
        (_, string request, int status, string words) = BadRequests.Heads.Single(b => b.Name == name);
        byte[] bytes = Encoding.Latin1.GetBytes(request.Replace("HOST", "127.0.0.1:80", StringComparison.Ordinal));
        int scanned = 0;
        switch (HttpHead.Measure(bytes, ref scanned, out int length))
        {
            case HeaderStatus.Invalid:
                Assert.Equal("a line of the request head does not end with CR LF", words);
                break;
            case HeaderStatus.Complete when length <= HttpHead.MaxLength:
                HttpRequestHead? head = HttpRequestHead.Read(bytes.AsSpan(0, length), out HttpFault? fault);
                // a path is a good request, for somebody else
                if (head is not null) Assert.True(head.Form is HttpTargetForm.Origin or HttpTargetForm.Asterisk);
                else Assert.Equal((status, words), (fault!.Status, fault.Detail));
                break;
            default:
                Assert.True(status is 431 or 414);
                break;
        }
    }

    [Fact]
    public void A_head_is_measured_the_same_however_it_comes()
    {
        byte[] bytes = Encoding.ASCII.GetBytes("GET http://a/ HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\nrest");
        for (int step = 1; step < bytes.Length; step++)
        {
            int scanned = 0, length = 0, at = 0;
            while (HttpHead.Measure(bytes.AsSpan(0, at), ref scanned, out length) != HeaderStatus.Complete)
            {
                Assert.True(at < bytes.Length);
                at = Math.Min(at + step, bytes.Length);
            }
            Assert.Equal(bytes.Length - 4, length);
        }
    }

    [Fact]
    public void Arbitrary_bytes_are_never_more_than_refused()
    {
        var random = new Random(11);
        string[] seeds = [.. BadRequests.Heads.Select(b => b.Request).Where(r => r.Length < 500), "GET http://HOST/ HTTP/1.1\r\nHost: HOST\r\nConnection: a, b\r\nA: 1\r\nB: 2\r\n\r\n"];
        int read = 0;
        for (int round = 0; round < 100_000; round++)
        {
            byte[] bytes = Encoding.Latin1.GetBytes(seeds[round % seeds.Length].Replace("HOST", "a:8", StringComparison.Ordinal));
            for (int i = random.Next(0, 4); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)(random.Next(2) == 0 ? random.Next(256) : " \t\r\n:,;/@[]%0"[random.Next(13)]);
            int scanned = 0;
            if (HttpHead.Measure(bytes, ref scanned, out int length) != HeaderStatus.Complete) continue;
            HttpRequestHead? head = HttpRequestHead.Read(bytes.AsSpan(0, length), out HttpFault? fault);
            Assert.True(head is null ? fault is { Status: 400 or 431 or 501 } : fault is null);
            if (head?.Form != HttpTargetForm.Absolute) continue;
            read++;
            AssertForwardsCleanly(head);
        }
        Assert.True(read > 1000, $"only {read} mutants were requests");
    }

    // whatever was accepted: what is passed on is again one request, for the same place and with the same framing
    private static void AssertForwardsCleanly(HttpRequestHead head)
    {
        var output = new byte[HttpForwarding.Instance.MaxLength(head)];
        byte[] written = output[..HttpForwarding.Instance.Write(output, head)];
        int scanned = 0;
        Assert.Equal(HeaderStatus.Complete, HttpHead.Measure(written, ref scanned, out int length));
        Assert.Equal(written.Length, length);
        HttpRequestHead? again = HttpRequestHead.Read(written, out HttpFault? fault);
        Assert.True(again is not null, fault?.Detail + "\n" + Encoding.Latin1.GetString(written));
        Assert.True(again.Form is HttpTargetForm.Origin or HttpTargetForm.Asterisk);
        Assert.Equal((head.Method, head.Body), (again.Method, again.Body));
        Assert.Equal(Text(head.Authority), Text(again.Fields.Only(HttpFieldKind.Host)));
    }

    internal static HttpRequestHead Read(string text)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(text);
        int scanned = 0;
        Assert.Equal(HeaderStatus.Complete, HttpHead.Measure(bytes, ref scanned, out int length));
        HttpRequestHead? head = HttpRequestHead.Read(bytes.AsSpan(0, length), out HttpFault? fault);
        Assert.True(head is not null, fault?.Detail);
        return head;
    }

    internal static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    internal static IEnumerable<string> Fields(HttpFields fields) =>
        Enumerable.Range(0, fields.Count).Select(i => $"{Text(fields.Name(i))}={Text(fields.Value(i))}");
}

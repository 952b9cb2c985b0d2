using System.Text;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Http;

namespace ProxyShell.Engine.Tests.Protocols.Http;

public class HttpResponseHeadTests
{
    [Fact]
    public void A_response_is_taken_apart()
    {
        HttpResponseHead head = Read("HTTP/1.1 404 Nothing \u00e9 here\r\nServer : a\r\nContent-Length: 3\r\n\r\n");
        Assert.Equal((404, 1, "Nothing \u00e9 here"), (head.Status, head.Minor, HttpRequestHeadTests.Text(head.Reason)));
        Assert.Equal("404 Nothing ? here", head.Summary);
        Assert.Equal(["Server=a", "Content-Length=3"], HttpRequestHeadTests.Fields(head.Fields));
        Assert.Equal(new HttpBody(HttpBodyKind.Length, 3), head.Body);
        Assert.True(head.KeepsAlive);
    }

    [Theory]
    [InlineData("GET", "HTTP/1.1 200 OK\r\n\r\n", HttpBodyKind.UntilClose, false)]
    [InlineData("GET", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", HttpBodyKind.None, true)]
    [InlineData("GET", "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n", HttpBodyKind.Chunked, true)]
    [InlineData("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", HttpBodyKind.None, true)]
    [InlineData("HEAD", "HTTP/1.1 200 OK\r\n\r\n", HttpBodyKind.None, true)]
    [InlineData("GET", "HTTP/1.1 204 No Content\r\n\r\n", HttpBodyKind.None, true)]
    [InlineData("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", HttpBodyKind.None, true)]
    [InlineData("POST", "HTTP/1.1 100 Continue\r\n\r\n", HttpBodyKind.None, true)]
    [InlineData("CONNECT", "HTTP/1.1 200 Yes\r\nContent-Length: 5\r\n\r\n", HttpBodyKind.None, true)]
    [InlineData("CONNECT", "HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\n", HttpBodyKind.Length, true)]
    [InlineData("GET", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", HttpBodyKind.Length, false)]
    [InlineData("GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", HttpBodyKind.Length, false)]
    internal void Bodies_and_keeping_the_connection(string method, string text, HttpBodyKind kind, bool keeps)
    {
        HttpResponseHead head = Read(text, method);
        Assert.Equal((kind, keeps), (head.Body.Kind, head.KeepsAlive));
    }

    [Theory]
    [InlineData("HTTP/2 200 OK\r\n\r\n", "the status line is not version, status and reason")]
    [InlineData("HTTP/1.2 200 OK\r\n\r\n", "the status line is not version, status and reason")]
    [InlineData("HTTP/1.1 20 OK\r\n\r\n", "the status line is not version, status and reason")]
    [InlineData("HTTP/1.1 2000 OK\r\n\r\n", "the status line is not version, status and reason")]
    [InlineData("HTTP/1.1 099 OK\r\n\r\n", "the status line is not version, status and reason")]
    [InlineData("HTTP/1.1  200 OK\r\n\r\n", "the status line is not version, status and reason")]
    [InlineData("HTTP/1.1 200 O\u001bK\r\n\r\n", "the status line is not version, status and reason")]
    [InlineData("ICY 200 OK\r\n\r\n", "the status line is not version, status and reason")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", "Content-Length is given twice")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "both Content-Length and Transfer-Encoding are given")]
    [InlineData("HTTP/1.1 204 No\r\nContent-Length: x\r\n\r\n", "Content-Length is not a number")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "the transfer coding 'gzip' is not served, only chunked is")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "a field line is folded (it begins with a space)")]
    [InlineData("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "Transfer-Encoding is given in HTTP/1.0")]
    public void What_is_no_response_is_refused(string text, string words)
    {
        Assert.Null(HttpResponseHead.Read(Encoding.Latin1.GetBytes(text), "GET", out HttpFault? fault));
        Assert.Equal(words, fault!.Detail);
    }

    [Fact]
    public void Arbitrary_bytes_are_never_more_than_refused()
    {
        var random = new Random(12);
        byte[] seed = Encoding.Latin1.GetBytes("HTTP/1.1 200 OK\r\nConnection: a, b\r\nA: 1\r\nContent-Length: 10\r\nVia: 1.1 b\r\n\r\n");
        int read = 0;
        for (int round = 0; round < 50_000; round++)
        {
            byte[] bytes = [.. seed];
            for (int i = random.Next(1, 4); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            int scanned = 0;
            if (HttpHead.Measure(bytes, ref scanned, out int length) != HeaderStatus.Complete) continue;
            if (HttpResponseHead.Read(bytes.AsSpan(0, length), "GET", out _) is not { } head) continue;
            read++;
            var output = new byte[HttpRewriting.MaxLength(head)];
            byte[] written = output[..HttpForwarding.Instance.Write(output, head, head.Body.Kind, closes: round % 2 == 0)];
            HttpResponseHead? again = HttpResponseHead.Read(written, "GET", out HttpFault? fault);
            Assert.True(again is not null, fault?.Detail);
            Assert.Equal((head.Status, head.Body), (again.Status, again.Body));
        }
        Assert.True(read > 1000, $"only {read} mutants were responses");
    }

    internal static HttpResponseHead Read(string text, string method = "GET")
    {
        HttpResponseHead? head = HttpResponseHead.Read(Encoding.Latin1.GetBytes(text), method, out HttpFault? fault);
        Assert.True(head is not null, fault?.Detail);
        return head;
    }
}

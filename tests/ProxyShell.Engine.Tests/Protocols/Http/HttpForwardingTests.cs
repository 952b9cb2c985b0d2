using System.Text;
using ProxyShell.Engine.Protocols.Http;

namespace ProxyShell.Engine.Tests.Protocols.Http;

public class HttpForwardingTests
{
    [Fact]
    public void A_request_becomes_one_for_the_origin() => AssertRequest(
        "GET http://a:8080/b?c HTTP/1.1\r\nAccept: x\r\nHost: other\r\nX-Two: 1\r\nx-two: 2\r\nVia: 1.0 before\r\n\r\n",
        "GET /b?c HTTP/1.1\r\nHost: a:8080\r\nAccept: x\r\nX-Two: 1\r\nx-two: 2\r\nVia: 1.0 before\r\nVia: 1.1 proxyshell\r\n\r\n");

    [Fact]
    public void What_concerns_one_connection_is_left_out() => AssertRequest(
        "GET http://a/ HTTP/1.1\r\nHost: a\r\nConnection: X-Mine, keep-alive\r\nX-Mine: 1\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nConnection: x-other\r\n"
        + "X-OTHER: 2\r\nTE: gzip\r\nUpgrade: h2c\r\nProxy-Authorization: Basic x\r\nX-Theirs: 3\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX-Theirs: 3\r\nVia: 1.1 proxyshell\r\n\r\n");

    [Fact]
    public void Framing_stays_whatever_Connection_names()
    {
        AssertRequest(
            "POST http://a/ HTTP/1.1\r\nHost: a\r\nConnection: Content-Length, Host\r\nContent-Length: 5\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nVia: 1.1 proxyshell\r\n\r\n");
        AssertRequest(
            "POST http://a/ HTTP/1.1\r\nHost: a\r\nConnection: Transfer-Encoding\r\nTransfer-encoding: CHUNKED\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-encoding: chunked\r\nVia: 1.1 proxyshell\r\n\r\n");
    }

    [Theory]
    [InlineData("http://a", "/")]
    [InlineData("http://a?b", "/?b")]
    [InlineData("http://a//b", "//b")]
    public void A_target_without_a_path_gets_one(string target, string path) => AssertRequest(
        $"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n", $"GET {path} HTTP/1.1\r\nHost: a\r\nVia: 1.1 proxyshell\r\n\r\n");

    [Fact]
    public void Options_about_a_server_become_a_star_and_count_their_way() => AssertRequest(
        "OPTIONS http://a HTTP/1.1\r\nHost: a\r\nMax-Forwards: 3\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 2\r\nVia: 1.1 proxyshell\r\n\r\n");

    [Fact]
    public void Trailers_are_asked_for_as_the_client_does() => AssertRequest(
        "GET http://a/ HTTP/1.1\r\nHost: a\r\nTE: trailers, gzip\r\nConnection: TE\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 proxyshell\r\nTE: trailers\r\nConnection: TE\r\n\r\n");

    [Fact]
    public void A_client_of_HTTP_1_0_is_spoken_for_in_HTTP_1_1() => AssertRequest(
        "GET http://a/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nVia: 1.0 proxyshell\r\nConnection: close\r\n\r\n");

    [Fact]
    public void An_upgrade_to_WebSocket_is_asked_for() => AssertRequest(
        "GET http://a/ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: k\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: k\r\nVia: 1.1 proxyshell\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");

    [Fact]
    public void A_response_loses_what_concerns_one_connection() => AssertResponse(
        "HTTP/1.0 200 Fine\r\nConnection: X-Mine\r\nX-Mine: 1\r\nKeep-Alive: a\r\nProxy-Authenticate: Basic\r\nSet-Cookie: 1\r\nset-cookie: 2\r\nContent-Length: 3\r\n\r\n",
        "HTTP/1.1 200 Fine\r\nSet-Cookie: 1\r\nset-cookie: 2\r\nContent-Length: 3\r\nVia: 1.0 proxyshell\r\n\r\n");

    [Fact]
    public void A_response_without_a_body_says_no_length() => AssertResponse(
        "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n", "HTTP/1.1 204 No Content\r\nVia: 1.1 proxyshell\r\n\r\n");

    [Fact]
    public void A_response_to_HEAD_says_the_length() => AssertResponse(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nVia: 1.1 proxyshell\r\n\r\n", "HEAD");

    [Fact]
    public void A_connection_that_will_end_says_so()
    {
        HttpResponseHead head = HttpResponseHeadTests.Read("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n");
        var output = new byte[HttpForwarding.MaxLength(head)];
        int length = HttpForwarding.Instance.Write(output, head, HttpBodyKind.UntilClose, closes: true);
        Assert.Equal("HTTP/1.1 200 \r\nVia: 1.1 proxyshell\r\nConnection: close\r\n\r\n", Encoding.Latin1.GetString(output, 0, length));
    }

    private static void AssertRequest(string request, string expected)
    {
        HttpRequestHead head = HttpRequestHeadTests.Read(request);
        var output = new byte[HttpForwarding.Instance.MaxLength(head)];
        Assert.Equal(expected, Encoding.Latin1.GetString(output, 0, HttpForwarding.Instance.Write(output, head)));
    }

    private static void AssertResponse(string response, string expected, string method = "GET")
    {
        HttpResponseHead head = HttpResponseHeadTests.Read(response, method);
        var output = new byte[HttpForwarding.MaxLength(head)];
        Assert.Equal(expected, Encoding.Latin1.GetString(output, 0, HttpForwarding.Instance.Write(output, head, head.Body.Kind, closes: false)));
    }
}

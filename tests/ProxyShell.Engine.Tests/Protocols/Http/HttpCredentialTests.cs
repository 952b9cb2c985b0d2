using System.Text;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Http;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Protocols.Http;

public class HttpCredentialTests
{
    // RFC 7617 §2 and §2.1
    [Theory]
    [InlineData("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")]
    [InlineData("test", "123\u00a3", "Basic dGVzdDoxMjPCow==")]
    [InlineData("a", "b:c:", "Basic YTpiOmM6")]
    public void Basic_credentials(string user, string password, string value)
    {
        Assert.Equal(value, HttpBasic.Write(new ProxyCredential(user, password)));
        Assert.True(HttpBasic.TryRead(Encoding.ASCII.GetBytes(value.Replace("Basic", "bASIC ", StringComparison.Ordinal)), out string readUser, out string readPassword));
        Assert.Equal((user, password), (readUser, readPassword));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Basic")]
    [InlineData("Basic ")]
    [InlineData("Basic !!!!")]
    [InlineData("Basic YWI")]
    [InlineData("Basic YWI=")]
    [InlineData("Bearer YTpi")]
    public void What_is_no_credential(string value) => Assert.False(HttpBasic.TryRead(Encoding.ASCII.GetBytes(value), out _, out _));

    [Fact]
    public void Reasons_travel_in_Proxy_Status()
    {
        foreach (ProxyErrorReason reason in new[] { ProxyErrorReason.ConnectionRefused, ProxyErrorReason.HostUnreachable, ProxyErrorReason.NameNotFound, ProxyErrorReason.TimedOut, ProxyErrorReason.Forbidden, ProxyErrorReason.LimitExceeded, ProxyErrorReason.TlsFailed, ProxyErrorReason.ConnectionReset })
            Assert.Equal(reason, HttpProxyStatus.Read(Encoding.ASCII.GetBytes($"a, b;error={HttpProxyStatus.Error(reason)}; details=\"x\"")));
        Assert.Equal(ProxyErrorReason.None, HttpProxyStatus.Read("a; error=no_such_thing"u8));
        Assert.Equal(ProxyErrorReason.None, HttpProxyStatus.Read("a"u8));
    }

    // RFC 6455 §1.3
    [Fact]
    public void The_handshake_of_WebSocket() => Assert.Contains(
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", Encoding.ASCII.GetString(WebSocketHandshake.Response("dGhlIHNhbXBsZSBub25jZQ==")), StringComparison.Ordinal);

    [Fact]
    public void A_refusal_is_one_line_whatever_its_sentence_holds()
    {
        string text = Encoding.ASCII.GetString(new HttpRefusal(502, "a\r\nb: \u00e9" + new string('x', 500)) { Reason = ProxyErrorReason.NameNotFound }.Write(DateTimeOffset.UnixEpoch, toHead: true));
        Assert.StartsWith("HTTP/1.1 502 Bad Gateway: a??b: ?xxx", text, StringComparison.Ordinal);
        Assert.Contains("\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nProxy-Status: proxyshell; error=dns_error\r\n", text, StringComparison.Ordinal);
        Assert.EndsWith("Content-Length: 301\r\nConnection: close\r\n\r\n", text, StringComparison.Ordinal);
    }
}

using System.Text;
using ProxyShell.Engine.Protocols.Http;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Tests.Protocols.Http;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Tests.Tunnels.Http;

/// <summary>The service is told who asked, how and for what (RFC 7239), and by nobody else.</summary>
public class ForwardedTests
{
    private static readonly string[] Claims =
        ["X-Forwarded-For: 198.51.100.7", "x-forwarded-for: 198.51.100.8", "X_Forwarded_For: 1.1.1.1", "X-Forwarded-Host: claimed", "X-Forwarded-Proto: https", "Forwarded: for=198.51.100.7;proto=https"];

    private static readonly string[] Own =
        ["X-Forwarded-For: 127.0.0.1", $"X-Forwarded-Host: {PublicSite.Host}", "X-Forwarded-Proto: http", $"Forwarded: for=127.0.0.1;host={PublicSite.Host};proto=http", "Via: 1.1 proxyshell"];

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task What_a_client_claims_is_replaced(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Answering(WebOrigin.Ok("ok"));
        await using PublicSite site = await PublicSite.StartAsync(sockets, origin.Port);
        await site.AskAsync(PublicSite.Get("/", [.. Claims, "X-Kept: 1"]));
        Assert.Equal([$"Host: {PublicSite.Host}", "X-Kept: 1", .. Own], Assert.Single(origin.Requests).Fields);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task What_a_trusted_proxy_says_stays_before_ours(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Answering(WebOrigin.Ok("ok"));
        await using PublicSite site = await PublicSite.StartAsync(sockets, o => o with { TrustedProxies = [SourceNetwork.Parse("127.0.0.0/8")] });
        site.Register(origin.Port);
        await site.AskAsync(PublicSite.Get("/", Claims));
        Assert.Equal(
            [
                $"Host: {PublicSite.Host}",
                "X-Forwarded-For: 198.51.100.7, 198.51.100.8, 1.1.1.1, 127.0.0.1",
                "X-Forwarded-Host: claimed",
                "X-Forwarded-Proto: https",
                $"Forwarded: for=198.51.100.7;proto=https, for=127.0.0.1;host={PublicSite.Host};proto=http",
                "Via: 1.1 proxyshell",
            ],
            Assert.Single(origin.Requests).Fields);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_service_may_see_another_host(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Answering(WebOrigin.Ok("ok"));
        await using PublicSite site = await PublicSite.StartAsync(sockets, origin.Port, new TunnelSettings { HostHeader = "inside:8080" });
        await site.AskAsync(PublicSite.Get("/"));
        Assert.Equal(["Host: inside:8080", .. Own], Assert.Single(origin.Requests).Fields);
    }

    [Theory]
    [InlineData("2001:db8::1", "a:8080", "for=\"[2001:db8::1]\";host=\"a:8080\";proto=https")]
    [InlineData("192.0.2.1", "a.b", "for=192.0.2.1;host=a.b;proto=https")]
    [InlineData("", "a", "for=unknown;host=a;proto=https")]
    public void Addresses_and_ports_are_quoted_where_they_must_be(string client, string host, string element)
    {
        HttpRequestHead head = HttpRequestHeadTests.Read($"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        var publishing = new HttpPublishing { Client = client, Scheme = "https" };
        var output = new byte[publishing.MaxLength(head)];
        string written = Encoding.ASCII.GetString(output, 0, publishing.Write(output, head));
        Assert.Contains($"\r\nForwarded: {element}\r\n", written, StringComparison.Ordinal);
    }

    [Fact]
    public void The_longest_head_has_room()
    {
        string host = string.Join('.', Enumerable.Repeat(new string('a', 60), 4));
        string claims = string.Concat(Enumerable.Repeat("Forwarded: for=1\r\nX-Forwarded-For: 1\r\n", 200));
        HttpRequestHead head = HttpRequestHeadTests.Read($"GET / HTTP/1.1\r\nHost: {host}\r\n{claims}\r\n");
        var publishing = new HttpPublishing { Client = "2001:db8:1111:2222:3333:4444:5555:6666", Scheme = "https", IsTrusted = true, HostHeader = host };
        var output = new byte[publishing.MaxLength(head)];
        Assert.InRange(publishing.Write(output, head), 2000, output.Length);
    }
}

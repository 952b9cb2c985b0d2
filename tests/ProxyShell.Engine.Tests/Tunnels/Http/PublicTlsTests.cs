using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Tests.Tunnels.Http;

/// <summary>The port for TLS: ends it with the right certificate, or leaves it to the agents that end it themselves.</summary>
public class PublicTlsTests
{
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_name_chooses_the_certificate_and_the_host_the_tunnel(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Answering(WebOrigin.Ok("ok"));
        await using PublicSite site = await StartAsync(sockets, Certificates.SelfSigned("first.test"), Certificates.SelfSigned("*.example.org"));
        site.Register(origin.Port);
        foreach ((string name, string subject) in new[] { (PublicSite.Host, "CN=*.example.org"), ("other.test", "CN=first.test") })
        {
            using Client client = await Client.ConnectAsync(site.Gateway.HttpsPort);
            await using SslStream tls = await HandshakeAsync(client, name);
            Assert.Equal(subject, tls.RemoteCertificate!.Subject);
            Assert.Contains("\r\n\r\nok", await AskAsync(tls, PublicSite.Get("/", "Connection: close")), StringComparison.Ordinal);
        }
        Assert.All(origin.Requests, r => Assert.Contains("X-Forwarded-Proto: https", r.Fields));
        Assert.All(await site.RecordsAsync(2), r => Assert.Equal("https", r.Scheme));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_changed_certificate_is_shown_to_new_clients(string sockets)
    {
        using var folder = new ScratchFolder();
        var time = new ManualTime();
        string path = Pem(folder, "one");
        await using PublicSite site = await PublicSite.StartAsync(sockets, null, o => o with { HttpsPort = 0, Certificates = [new ReloadingCertificate(path)], TimeProvider = time });
        Assert.Equal("CN=one", await SubjectAsync(site));
        Pem(folder, "two");
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("CN=two", await SubjectAsync(site));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task An_agent_that_ends_TLS_shows_its_own_certificate(string sockets)
    {
        X509Certificate2 own = Certificates.SelfSigned("inside.example.org");
        await using Origin service = Origin.Of(async socket =>
        {
            await using var tls = new SslStream(new NetworkStream(socket));
            await tls.AuthenticateAsServerAsync(own);
            var buffer = new byte[100];
            int count = await tls.ReadAsync(buffer);
            await tls.WriteAsync(buffer.AsMemory(0, count));
        });
        await using PublicSite site = await StartAsync(sockets, Certificates.SelfSigned("*.example.org"));
        TunnelVisitor? visitor = null;
        site.Register(
            (told, token) =>
            {
                visitor = told;
                return Sockets.Of(sockets).ConnectAsync(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, service.Port), token);
            },
            host: "inside.example.org",
            kind: TunnelKind.Tls);
        using (Client client = await Client.ConnectAsync(site.Gateway.HttpsPort))
        {
            await using SslStream tls = await HandshakeAsync(client, "Inside.example.org");
            Assert.Equal("CN=inside.example.org", tls.RemoteCertificate!.Subject);
            await tls.WriteAsync("hello"u8.ToArray());
            var answer = new byte[5];
            await tls.ReadExactlyAsync(answer).AsTask().Within();
            Assert.Equal("hello", Encoding.ASCII.GetString(answer));
        }
        Assert.Equal(("tls", "Inside.example.org"), (visitor!.Scheme, visitor.Host));
        await House.QuietAsync(site.Gateway);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100)]
    public async Task A_hello_in_pieces_reaches_the_agent_byte_for_byte(int piece)
    {
        byte[] hello = TlsHello.Fragmented(await TlsHello.CaptureAsync("inside.example.org"), piece);
        var got = new TaskCompletionSource<byte[]>();
        await using Origin service = Origin.Of(async socket =>
        {
            var bytes = new byte[hello.Length];
            for (int read = 0; read < bytes.Length;) read += await socket.ReceiveAsync(bytes.AsMemory(read));
            got.SetResult(bytes);
        });
        await using PublicSite site = await StartAsync(Sockets.Kinds.First(), Certificates.SelfSigned("*.example.org"));
        site.Register(service.Port, host: "inside.example.org", kind: TunnelKind.Tls);
        using Client client = await Client.ConnectAsync(site.Gateway.HttpsPort);
        for (int at = 0; at < hello.Length; at += 50) await client.SendAsync(hello.AsMemory(at, Math.Min(50, hello.Length - at)));
        Assert.Equal(hello, await got.Task.Within());
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Without_a_certificate_an_unknown_name_is_told_so(string sockets)
    {
        await using PublicSite site = await StartAsync(sockets);
        using Client client = await Client.ConnectAsync(site.Gateway.HttpsPort);
        await client.SendAsync(await TlsHello.CaptureAsync("nobody.example.org"));
        // a fatal alert: unrecognized_name
        Assert.Equal(new byte[] { 21, 3, 3, 0, 2, 2, 112 }, await client.ReadToEndAsync());
        Assert.Equal(ProxyErrorReason.TlsFailed, (await House.EventAsync(site.Gateway, ProxyEventKind.Refused)).Reason);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Plain_HTTP_is_told_that_it_is_wrong_here(string sockets)
    {
        await using PublicSite site = await StartAsync(sockets, Certificates.SelfSigned("*.example.org"));
        using WebClient client = await WebClient.ConnectAsync(site.Gateway.HttpsPort);
        WebResponse response = await client.AskAsync(PublicSite.Get("/"));
        Assert.Equal((400, "this port speaks TLS: ask with https://\n"), (response.Status, response.Body));
        Assert.True(await client.IsClosedAsync());
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_hello_must_be_whole_in_time(string sockets)
    {
        await using PublicSite site = await PublicSite.StartAsync(
            sockets, null, o => o with { HttpsPort = 0, Certificate = Certificates.Localhost, HandshakeTimeout = TimeSpan.FromMilliseconds(300) });
        using Client client = await Client.ConnectAsync(site.Gateway.HttpsPort);
        await client.SendAsync((await TlsHello.CaptureAsync("a")).AsMemory(0, 50));
        Assert.True(await client.IsClosedAsync());
        Assert.Equal(ProxyErrorReason.TimedOut, (await House.EventAsync(site.Gateway, ProxyEventKind.Refused)).Reason);
    }

    private static Task<PublicSite> StartAsync(string sockets, params X509Certificate2[] certificates) => PublicSite.StartAsync(
        sockets, null, o => o with { HttpsPort = 0, Certificates = [.. certificates.Select(ServerCertificate.From)] });

    private static async Task<SslStream> HandshakeAsync(Client client, string name)
    {
        var tls = new SslStream(new NetworkStream(client.Socket));
        var options = new SslClientAuthenticationOptions { TargetHost = name, RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null };
        await tls.AuthenticateAsClientAsync(options).Within();
        return tls;
    }

    private static async Task<string> SubjectAsync(PublicSite site)
    {
        using Client client = await Client.ConnectAsync(site.Gateway.HttpsPort);
        await using SslStream tls = await HandshakeAsync(client, "any");
        return tls.RemoteCertificate!.Subject;
    }

    private static async Task<string> AskAsync(SslStream tls, string request)
    {
        await tls.WriteAsync(Encoding.ASCII.GetBytes(request)).AsTask().Within();
        using var reader = new StreamReader(tls, Encoding.ASCII, leaveOpen: true);
        return await reader.ReadToEndAsync().Within();
    }

    private static string Pem(ScratchFolder folder, string name)
    {
        using X509Certificate2 made = Certificates.SelfSigned(name);
        return folder.Write("site.pem", made.ExportCertificatePem() + "\n" + made.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
    }
}

using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Transport;

/// <summary>Several certificates on one port, and certificates that follow their files.</summary>
public sealed class CertificateChoiceTests : IAsyncLifetime
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(3);

    private readonly Origin _origin = Origin.Echo();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _origin.DisposeAsync();

    [Theory]
    [InlineData("a.example.com", "a.example.com")]
    [InlineData("A.Example.COM", "a.example.com")]
    [InlineData("also.example.com", "a.example.com")]
    [InlineData("b.example.com", "*.example.com")]
    [InlineData("x.y.example.com", "first.test")]
    [InlineData("example.com", "first.test")]
    [InlineData("nobody.test", "first.test")]
    [InlineData("127.0.0.1", "first.test")]
    public async Task The_name_asked_for_chooses(string asked, string subject)
    {
        await using var house = new House(Sockets.Kinds.First());
        AccessListener listener = await house.ListenAsync(_origin.Endpoint, change: o => o with
        {
            Certificate = Certificates.SelfSigned("first.test"),
            Certificates = [ServerCertificate.From(Certificates.SelfSigned("*.example.com")), ServerCertificate.From(Certificates.SelfSigned("a.example.com", "also.example.com"))],
        });
        Assert.Equal("CN=" + subject, await SubjectAsync(listener, asked));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_changed_file_is_shown_to_new_clients(string sockets)
    {
        using var folder = new ScratchFolder();
        var time = new ManualTime();
        await using var house = new House(sockets);
        string path = Write(folder, "one");
        AccessListener listener = await house.ListenAsync(_origin.Endpoint, change: o => o with { Certificates = [new ReloadingCertificate(path)], TimeProvider = time });
        using Client early = await Client.ConnectAsync(listener.LocalPort);
        await using SslStream open = await HandshakeAsync(early, "one");
        Assert.Equal("CN=one", open.RemoteCertificate!.Subject);

        File.Move(Write(folder, "two", "new.pem"), path, overwrite: true);
        Assert.Equal("CN=one", await SubjectAsync(listener, "one"));
        time.Advance(Pause);
        Assert.Equal("CN=two", await SubjectAsync(listener, "one"));

        ProxyEvent told = await House.EventAsync(listener, ProxyEventKind.Reconfigured);
        Assert.StartsWith($"loaded the changed certificate '{path}': CN=two, valid until ", told.Message, StringComparison.Ordinal);
        await open.WriteAsync("hello"u8.ToArray()).AsTask().Within();
        var answer = new byte[5];
        await open.ReadExactlyAsync(answer).AsTask().Within();
        Assert.Equal("hello"u8.ToArray(), answer);
    }

    [Fact]
    public async Task A_broken_file_is_told_once_and_the_old_one_stays()
    {
        using var folder = new ScratchFolder();
        var time = new ManualTime();
        await using var house = new House(Sockets.Portable);
        string path = Write(folder, "one");
        AccessListener listener = await house.ListenAsync(_origin.Endpoint, change: o => o with { Certificates = [new ReloadingCertificate(path)], TimeProvider = time });
        string whole = File.ReadAllText(Write(folder, "two", "new.pem"));

        foreach (int length in new[] { 0, 20, whole.Length / 2, whole.Length - 40 })
        {
            File.WriteAllText(path, whole[..length]);
            time.Advance(Pause);
            Assert.Equal("CN=one", await SubjectAsync(listener, "one"));
        }
        ProxyEvent warning = Assert.Single(listener.Events.ToList(), e => e.Kind == ProxyEventKind.Warning);
        Assert.StartsWith($"The certificate '{path}' ", warning.Message, StringComparison.Ordinal);
        Assert.EndsWith("; the one loaded before stays in use.", warning.Message, StringComparison.Ordinal);

        File.WriteAllText(path, whole);
        time.Advance(Pause);
        Assert.Equal("CN=two", await SubjectAsync(listener, "one"));
        File.Delete(path);
        time.Advance(Pause);
        Assert.Equal("CN=two", await SubjectAsync(listener, "one"));
        Assert.Equal(2, listener.Events.ToList().Count(e => e.Kind == ProxyEventKind.Warning));
    }

    [Fact]
    public void A_key_that_does_not_belong_to_the_certificate_yet_is_waited_for()
    {
        using var folder = new ScratchFolder();
        var time = new ManualTime();
        X509Certificate2 one = Certificates.SelfSigned("one"), two = Certificates.SelfSigned("two");
        string path = folder.Write("x.crt", one.ExportCertificatePem());
        folder.Write("x.key", KeyOf(one));
        var certificate = new ReloadingCertificate(path);
        var notes = new List<(string Message, bool IsWarning)>();

        folder.Write("x.crt", two.ExportCertificatePem() + "\n");
        Assert.Equal("CN=one", Look());
        Assert.True(Assert.Single(notes).IsWarning);
        folder.Write("x.key", KeyOf(two) + "\n");
        Assert.Equal("CN=two", Look());
        Assert.Equal([true, false], notes.Select(n => n.IsWarning));

        string Look()
        {
            time.Advance(Pause);
            return certificate.Renewed(time, (message, isWarning) => notes.Add((message, isWarning))).Certificate.Subject;
        }
    }

    [Fact]
    public void A_file_behind_a_link_is_followed_when_the_link_moves()
    {
        using var folder = new ScratchFolder();
        var time = new ManualTime();
        Write(folder, "one", "1.pem");
        Write(folder, "two.example", "2.pem");
        File.CreateSymbolicLink(folder.File("live.pem"), folder.File("1.pem"));
        var certificate = new ReloadingCertificate(folder.File("live.pem"));
        File.CreateSymbolicLink(folder.File("next.pem"), folder.File("2.pem"));
        File.Move(folder.File("next.pem"), folder.File("live.pem"), overwrite: true);
        time.Advance(Pause);
        Assert.Equal("CN=two.example", certificate.Renewed(time, (_, _) => { }).Certificate.Subject);
    }

    [Fact]
    public void The_issuers_in_the_file_are_sent_along()
    {
        using var folder = new ScratchFolder();
        X509Certificate2 root = Certificates.Authority("root"), between = Certificates.Authority("between", root), leaf = Certificates.Issued(between, "leaf");
        string pem = folder.Write("chain.pem", string.Join('\n', leaf.ExportCertificatePem(), between.ExportCertificatePem(), KeyOf(leaf)));
        Assert.Equal("CN=between", Assert.Single(new ReloadingCertificate(pem).Loaded.Context.IntermediateCertificates).Subject);
        string pfx = folder.Write("chain.pfx", new X509Certificate2Collection { leaf, X509CertificateLoader.LoadCertificate(between.RawData) }.Export(X509ContentType.Pkcs12, "secret")!);
        LoadedCertificate loaded = new ReloadingCertificate(pfx, "secret").Loaded;
        Assert.Equal(("CN=leaf", "CN=between"), (loaded.Certificate.Subject, Assert.Single(loaded.Context.IntermediateCertificates).Subject));
    }

    private static string Write(ScratchFolder folder, string name, string file = "x.pem")
    {
        X509Certificate2 certificate = Certificates.SelfSigned(name);
        return folder.Write(file, certificate.ExportCertificatePem() + "\n" + KeyOf(certificate));
    }

    private static string KeyOf(X509Certificate2 certificate) => certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem();

    private static async Task<string> SubjectAsync(AccessListener listener, string name)
    {
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await using SslStream stream = await HandshakeAsync(client, name);
        return stream.RemoteCertificate!.Subject;
    }

    private static async Task<SslStream> HandshakeAsync(Client client, string name)
    {
        var stream = new SslStream(new NetworkStream(client.Socket), false, (_, c, _, _) => c is not null);
        await stream.AuthenticateAsClientAsync(name).Within();
        return stream;
    }
}

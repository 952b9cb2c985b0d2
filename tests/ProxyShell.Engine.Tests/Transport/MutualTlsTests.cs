using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Tests.Transport;

/// <summary>Services that demand a certificate of their clients, and hops that show one.</summary>
public sealed class MutualTlsTests : IAsyncLifetime
{
    private static readonly X509Certificate2 Authority = Certificates.Authority("Our authority");
    private static readonly X509Certificate2 Known = Certificates.Issued(Authority, "known");

    private readonly Origin _origin = Origin.Echo();

    public static TheoryData<string, string> Refusals => new()
    {
        { "none", "the client sent no certificate" },
        { "of another authority", "the client's certificate (CN=other) is not accepted (PartialChain)" },
        { "expired", "the client's certificate (CN=expired) is not accepted (NotTimeValid)" },
        { "for servers", "the client's certificate (CN=server) is not accepted (NotValidForUsage)" },
        { "self-signed", "the client's certificate (CN=self) is not accepted (UntrustedRoot)" },
    };

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _origin.DisposeAsync();

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_known_certificate_is_let_in(string sockets)
    {
        await using var house = new House(sockets);
        X509Certificate2 between = Certificates.Authority("Between", Authority);
        (ServiceOptions Demand, X509Certificate2 Shown)[] cases =
        [
            (new ProxyServerOptions { ClientCertificateThumbprints = [Certificates.Thumbprint(Known)] }, Known),
            (new ProxyServerOptions { ClientCertificateThumbprints = [Certificates.Thumbprint(Certificates.Localhost)] }, Certificates.Localhost),
            (new ProxyServerOptions { ClientCertificateAuthority = [Authority] }, Known),
            (new ProxyServerOptions { ClientCertificateAuthority = [Certificates.Authority("Unused"), Authority, between] }, Certificates.Issued(between, "below")),
            (new ProxyServerOptions { ClientCertificateAuthority = [Authority], ClientCertificateThumbprints = [Certificates.Thumbprint(Known)] }, Known),
        ];
        foreach ((ServiceOptions demand, X509Certificate2 shown) in cases)
        {
            ProxyServer server = await house.ProxyAsync(o => Demanding(o, demand));
            AccessListener listener = await house.ListenAsync(_origin.Endpoint, new ProxyChain(server.ToHop() with { ClientCertificate = shown }));
            await AssertEchoesAsync(listener);
        }
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Others_are_refused_and_the_event_says_why(string shown, string fault)
    {
        await using var house = new House(Sockets.Kinds.First());
        ProxyServer server = await house.ProxyAsync(o => Demanding(o, new ProxyServerOptions { ClientCertificateAuthority = [Authority] }));
        AccessListener listener = await house.ListenAsync(_origin.Endpoint, new ProxyChain(server.ToHop() with { ClientCertificate = Shown(shown) }));

        await Client.AssertTurnedAwayAsync(listener.LocalPort);

        ProxyEvent refused = await House.EventAsync(server, ProxyEventKind.Refused);
        Assert.Equal((ProxyErrorReason.AuthenticationFailed, "TLS handshake failed: " + fault), (refused.Reason, refused.Message));
        ProxyEvent failed = await House.EventAsync(listener, ProxyEventKind.Failed);
        // in TLS 1.3 the client's own handshake is over by then, and not every library sends an alert
        Assert.StartsWith($"hop 1 (127.0.0.1:{server.LocalPort}): ", failed.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task With_thumbprints_and_an_authority_both_must_hold(string sockets)
    {
        await using var house = new House(sockets);
        X509Certificate2 other = Certificates.Issued(Authority, "other");
        ProxyServer server = await house.ProxyAsync(
            o => Demanding(o, new ProxyServerOptions { ClientCertificateAuthority = [Authority], ClientCertificateThumbprints = [Certificates.Thumbprint(Known)] }));
        AccessListener listener = await house.ListenAsync(_origin.Endpoint, new ProxyChain(server.ToHop() with { ClientCertificate = other }));

        await Client.AssertTurnedAwayAsync(listener.LocalPort);

        Assert.Equal(
            $"TLS handshake failed: the client's certificate (CN=other) has thumbprint {Certificates.Thumbprint(other)}, which is not one of those accepted",
            (await House.EventAsync(server, ProxyEventKind.Refused)).Message);
    }

    // the hop before it only connects: TLS is laid on from here, and the private key stays here
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_hop_in_the_middle_is_shown_the_certificate_too(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer first = await house.ProxyAsync(), last = await house.ProxyAsync();
        ProxyServer middle = await house.ProxyAsync(o => Demanding(o, new ProxyServerOptions { ClientCertificateAuthority = [Authority] }));
        AccessListener listener = await house.ListenAsync(
            _origin.Endpoint, new ProxyChain(first.ToHop(), middle.ToHop() with { ClientCertificate = Known }, last.ToHop()));
        await AssertEchoesAsync(listener);
    }

    [Fact]
    public async Task A_client_certificate_authenticates_whatever_is_served()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync(o => Demanding(o, new ProxyServerOptions { ClientCertificateAuthority = [Authority] }) with { LocalAddress = "0.0.0.0" });
        Assert.Equal(ServiceState.Running, server.State);
        AccessListener listener = await house.ListenAsync(
            _origin.Endpoint, change: o => o with { LocalAddress = "0.0.0.0", Certificate = Certificates.Localhost, ClientCertificateAuthority = [Authority] });
        Assert.Equal(ServiceState.Running, listener.State);
    }

    [Fact]
    public void Options_that_make_no_sense_are_named()
    {
        static string Fault(ProxyServerOptions options) => Assert.Throws<FormatException>(() => new ProxyServer(options)).Message;
        Assert.Equal(
            "ClientCertificateAuthority is given, but without a Certificate of its own the service does not speak TLS: give one.",
            Fault(new ProxyServerOptions { ClientCertificateAuthority = [Authority] }));
        Assert.Equal(
            "'abc' is not a SHA-256 certificate thumbprint: 64 hexadecimal digits.",
            Fault(new ProxyServerOptions { Certificate = Certificates.Localhost, ClientCertificateThumbprints = ["abc"] }));
        using var key = ECDsa.Create();
        var request = new CertificateRequest("CN=leaf", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, false, 0, critical: true));
        using X509Certificate2 leaf = request.CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
        Assert.Equal(
            "ClientCertificateAuthority holds 'CN=leaf', which is not the certificate of an authority.",
            Fault(new ProxyServerOptions { Certificate = Certificates.Localhost, ClientCertificateAuthority = [leaf] }));
    }

    private static ProxyServerOptions Demanding(ProxyServerOptions options, ServiceOptions demand) => options with
    {
        Certificate = Certificates.Localhost,
        ClientCertificateAuthority = demand.ClientCertificateAuthority,
        ClientCertificateThumbprints = demand.ClientCertificateThumbprints,
    };

    private static X509Certificate2? Shown(string which) => which switch
    {
        "of another authority" => Certificates.Issued(Certificates.Authority("Another authority"), "other"),
        "expired" => Certificates.Issued(Authority, "expired", validHours: -1),
        "for servers" => Certificates.Issued(Authority, "server", usage: "1.3.6.1.5.5.7.3.1"),
        "self-signed" => Certificates.SelfSigned("self"),
        _ => null,
    };

    private static async Task AssertEchoesAsync(AccessListener listener)
    {
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("hello");
        Assert.Equal("hello"u8.ToArray(), await client.ReadAsync(5));
    }
}

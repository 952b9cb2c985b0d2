using System.Security.Cryptography.X509Certificates;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Configuration;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Tests.Configuration;

/// <summary>Certificates of services, of their clients, and of hops, from files beside the configuration.</summary>
public sealed class TlsConfigurationTests : IDisposable
{
    private readonly ScratchFolder _folder = new();
    private readonly X509Certificate2 _authority = Certificates.Authority("office");

    public TlsConfigurationTests()
    {
        _folder.Write("a.pfx", Certificates.SelfSigned("a.example").Export(X509ContentType.Pkcs12));
        _folder.Write("b.pfx", Certificates.SelfSigned("b.example").Export(X509ContentType.Pkcs12, "wonderland"));
        _folder.Write("client.pfx", Certificates.Issued(_authority, "client").Export(X509ContentType.Pkcs12));
        _folder.Write("office.pem", _authority.ExportCertificatePem());
        _folder.Write("office.cer", _authority.Export(X509ContentType.Cert));
        _folder.Write("password", "wonderland");
    }

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_service_has_several_certificates_and_follows_their_files()
    {
        ProxyServerOptions options = Read("""{ "certificate": "a.pfx", "certificates": [{ "source": "b.pfx", "password": "file:password" }] }""");
        Assert.Equal(["CN=a.example", "CN=b.example"], options.Certificates.Select(certificate => certificate.Certificate.Subject));
        Assert.All(options.Certificates, certificate => Assert.IsType<ReloadingCertificate>(certificate));
    }

    [Fact]
    public void Clients_may_be_known_by_their_certificates()
    {
        string print = Certificates.Thumbprint(_authority);
        ProxyServerOptions options = Read($$"""
            { "localAddress": "*", "certificate": "a.pfx", "clientCertificateThumbprints": ["{{print.ToLowerInvariant()}}"], "clientCertificateAuthority": ["office.pem", "office.cer"] }
            """);
        Assert.Equal([print], options.ClientCertificateThumbprints);
        Assert.Equal(["CN=office", "CN=office"], options.ClientCertificateAuthority.Select(certificate => certificate.Subject));
    }

    [Fact]
    public async Task A_hop_is_shown_the_certificate_that_it_wants()
    {
        ProxyConfiguration server = Parse("""{ "proxyServers": [{ "certificate": "a.pfx", "clientCertificateAuthority": ["office.pem"] }] }""");
        await using ListenerService service = Assert.Single(server.CreateServices());
        await service.StartAsync().Within();
        string pin = ((ProxyServer)service).ToHop().Trust.Thumbprint!;
        foreach ((string shown, HopTestStatus expected) in new[] { ("""
            , "clientCertificate": "client.pfx"
            """, HopTestStatus.Ok), ("", HopTestStatus.Failed) })
        {
            ProxyChain chain = Read($$"""{ "chain": [{ "uri": "{{service.Uri}}", "thumbprint": "{{pin}}"{{shown}} }] }""").Chain;
            List<HopTestResult> results = [];
            await foreach (HopTestResult result in new ChainTester { Count = 1 }.TestAsync(chain, null, default)) results.Add(result);
            Assert.Equal(expected, Assert.Single(results).Status);
        }
    }

    [Theory]
    [InlineData("""{ "certificate": "b.pfx" }""", ".certificate", "cannot be loaded")]
    [InlineData("""{ "clientCertificateAuthority": ["office.pem"] }""", "", "without a Certificate of its own the service does not speak TLS")]
    [InlineData("""{ "certificate": "a.pfx", "clientCertificateAuthority": ["password"] }""", ".clientCertificateAuthority[0]", "cannot be loaded")]
    [InlineData("""{ "certificate": "a.pfx", "clientCertificateAuthority": [""] }""", ".clientCertificateAuthority[0]", "is empty")]
    [InlineData("""{ "chain": [{ "uri": "relay://h:1", "clientCertificate": "client.pfx" }] }""", ".chain[0].clientCertificate", "is for TLS hops")]
    [InlineData("""{ "chain": [{ "uri": "relays://h:1", "clientCertificate": "office.pem" }] }""", ".chain[0].clientCertificate", "cannot be loaded")]
    public void A_fault_is_told_with_its_place(string server, string place, string fault)
    {
        var error = Assert.Throws<ConfigurationException>(() => Read(server));
        Assert.Equal("$.proxyServers[0]" + place, error.Path);
        Assert.Contains(fault, error.Fault, StringComparison.Ordinal);
    }

    private ProxyServerOptions Read(string server) => Assert.Single(Parse($$"""{ "proxyServers": [{{server}}] }""").ProxyServers);

    private ProxyConfiguration Parse(string json) => ProxyConfiguration.Parse(json, "px.json", _folder.Path);
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Security;

public sealed class CertificateSourceTests : IDisposable
{
    private static readonly PbeParameters Encryption = new(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000);

    private readonly ScratchFolder _folder = new();
    private readonly X509Certificate2 _certificate = Certificates.SelfSigned("source.test");

    public void Dispose()
    {
        _certificate.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("server.pfx", null)]
    [InlineData("server.P12", "pass word")]
    public void A_PFX_file(string name, string? password) =>
        AssertLoads(_folder.Write(name, _certificate.Export(X509ContentType.Pkcs12, password)), password);

    [Fact]
    public void A_PEM_file_with_its_key_inside() => AssertLoads(_folder.Write("server.pem", CertificatePem + KeyPem));

    [Fact]
    public void A_PEM_file_with_its_key_first() => AssertLoads(_folder.Write("server.pem", KeyPem + CertificatePem));

    [Fact]
    public void A_PEM_file_with_its_key_beside()
    {
        _folder.Write("server.key", KeyPem);
        AssertLoads(_folder.Write("server.crt", CertificatePem));
    }

    [Fact]
    public void A_PEM_file_with_an_encrypted_key() =>
        AssertLoads(_folder.Write("server.pem", CertificatePem + EncryptedKeyPem("secret")), "secret");

    [Fact]
    public void A_file_that_does_not_exist() =>
        AssertFails(_folder.File("none.pem"), null, $"The certificate file '{_folder.File("none.pem")}' does not exist.");

    [Fact]
    public void A_thumbprint_that_no_store_has()
    {
        string thumbprint = _certificate.GetCertHashString(HashAlgorithmName.SHA256);
        AssertFails(thumbprint, null, $"No certificate with thumbprint '{thumbprint}' and a private key is in the stores CurrentUser\\My and LocalMachine\\My.");
    }

    [Fact]
    public void A_PFX_file_without_private_key()
    {
        using X509Certificate2 bare = X509CertificateLoader.LoadCertificate(_certificate.RawData);
        string file = _folder.Write("bare.pfx", bare.Export(X509ContentType.Pkcs12)!);
        AssertFails(file, null, $"The certificate '{file}' has no private key; a server needs one.");
    }

    [Fact]
    public void A_PEM_file_without_private_key() => AssertNames(_folder.Write("bare.pem", CertificatePem));

    [Fact]
    public void A_key_of_another_certificate()
    {
        using X509Certificate2 other = Certificates.SelfSigned("other.test");
        AssertNames(_folder.Write("mixed.pem", CertificatePem + other.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem()));
    }

    [Theory]
    [InlineData("server.pfx")]
    [InlineData("server.pem")]
    public void A_file_of_something_else(string name) => AssertNames(_folder.Write(name, "these are not the bytes you are looking for"));

    [Theory]
    [InlineData("hunter2")]
    [InlineData(null)]
    public void A_wrong_password_is_refused_and_not_repeated(string? password)
    {
        foreach (string file in new[]
        {
            _folder.Write("locked.pfx", _certificate.Export(X509ContentType.Pkcs12, "correct horse")),
            _folder.Write("locked.pem", CertificatePem + EncryptedKeyPem("correct horse")),
        })
        {
            FormatException error = AssertNames(file, password);
            Assert.DoesNotContain("hunter2", error.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_folder_is_not_a_certificate() => AssertNames(_folder.Path);

    private string CertificatePem => _certificate.ExportCertificatePem() + "\n";

    private string KeyPem => _certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem() + "\n";

    private string EncryptedKeyPem(string password) => _certificate.GetECDsaPrivateKey()!.ExportEncryptedPkcs8PrivateKeyPem(password, Encryption) + "\n";

    private void AssertLoads(string source, string? password = null)
    {
        using X509Certificate2 loaded = CertificateSource.Load(source, password);
        Assert.True(loaded.HasPrivateKey);
        Assert.Equal(_certificate.Thumbprint, loaded.Thumbprint);
    }

    private static void AssertFails(string source, string? password, string message) =>
        Assert.Equal(message, Assert.Throws<FormatException>(() => CertificateSource.Load(source, password)).Message);

    private static FormatException AssertNames(string source, string? password = null)
    {
        FormatException error = Assert.Throws<FormatException>(() => CertificateSource.Load(source, password));
        Assert.Contains($"'{source}'", error.Message, StringComparison.Ordinal);
        return error;
    }
}

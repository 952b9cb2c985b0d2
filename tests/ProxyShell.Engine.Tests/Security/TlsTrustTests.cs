using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Security;

public class TlsTrustTests
{
    private const string Print = "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF";

    [Theory]
    [InlineData(Print)]
    [InlineData("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    [InlineData("01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF")]
    [InlineData("01 23 45 67 89 AB CD EF 0123456789ABCDEF 0123456789ABCDEF 0123456789ABCDEF")]
    public void A_thumbprint_is_read_as_tools_print_it(string text) => Assert.Equal(Print, TlsTrust.Pinned(text).Thumbprint);

    [Theory]
    [InlineData("", "")]
    [InlineData("0123", "")]
    [InlineData("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg", "")]
    [InlineData("0123456789ABCDEF0123456789ABCDEF01234567", " This looks like a SHA-1 thumbprint; SHA-256 is needed.")]
    public void A_wrong_thumbprint_is_named(string text, string hint) =>
        Assert.Equal(
            $"'{text}' is not a SHA-256 certificate thumbprint: 64 hexadecimal digits.{hint}",
            Assert.Throws<FormatException>(() => TlsTrust.Pinned(text)).Message);

    [Fact]
    public void A_pin_trusts_that_certificate_alone_whatever_else_is_wrong_with_it()
    {
        using X509Certificate2 right = Certificates.SelfSigned("right"), wrong = Certificates.SelfSigned("wrong");
        var trust = TlsTrust.Pinned(right.GetCertHashString(HashAlgorithmName.SHA256));
        Assert.Equal((true, null), Judge(trust, right, SslPolicyErrors.RemoteCertificateChainErrors | SslPolicyErrors.RemoteCertificateNameMismatch));
        Assert.Equal(
            (false, $"the server's certificate has thumbprint {wrong.GetCertHashString(HashAlgorithmName.SHA256)}, not the pinned one"),
            Judge(trust, wrong, SslPolicyErrors.None));
    }

    [Fact]
    public void Without_a_pin_name_and_chain_must_hold()
    {
        using X509Certificate2 certificate = Certificates.SelfSigned("proxy.test");
        Assert.Equal((true, null), Judge(TlsTrust.System, certificate, SslPolicyErrors.None));
        Assert.Equal(
            (false, "the certificate (CN=proxy.test) is not for this name"),
            Judge(TlsTrust.System, certificate, SslPolicyErrors.RemoteCertificateChainErrors | SslPolicyErrors.RemoteCertificateNameMismatch));
        Assert.Equal(
            (false, "the certificate (CN=proxy.test) is not trusted (RemoteCertificateChainErrors)"),
            Judge(TlsTrust.System, certificate, SslPolicyErrors.RemoteCertificateChainErrors));
        Assert.Null(TlsTrust.System.Thumbprint);
    }

    [Fact]
    public void No_certificate_is_never_trusted() =>
        Assert.Equal((false, "the server sent no certificate"), Judge(TlsTrust.Pinned(Print), null, SslPolicyErrors.RemoteCertificateNotAvailable));

    private static (bool Trusted, string? Why) Judge(TlsTrust trust, X509Certificate2? certificate, SslPolicyErrors errors)
    {
        string? why = null;
        bool trusted = trust.Validator(text => why = text)(new object(), certificate, null, errors);
        return (trusted, why);
    }
}

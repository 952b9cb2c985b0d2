using System.Security.Cryptography;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Tests.Tunnels;

/// <summary>Key files, and the names that follow from keys.</summary>
public class IdentityTests
{
    // the key of RFC 7515 appendix A.3.1, whose thumbprint was reckoned with another program
    private const string Pem = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff
        H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp
        7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt
        -----END PRIVATE KEY-----
        """;

    private const string Thumbprint = "ucrdfqxrssstku6lcmin3paiehsbjoox5p6csczsgccnpuicb7sq";

    [Fact]
    public void A_thumbprint_is_that_of_RFC_7638_in_base32()
    {
        using var folder = new ScratchFolder();
        using var identity = TunnelIdentity.Load(Protected(folder.Write("key.pem", Pem)));
        Assert.Equal(Thumbprint, identity.Thumbprint);
        Assert.Equal(Thumbprint, identity.LabelOf(""));
        Assert.Equal("w2t5oisiwpv6irje4ap2rn2wsihhbyyncfyo5yih65w366cp2lhq", identity.LabelOf("büro"));
        Assert.Equal(Thumbprint, identity.ToString());
    }

    [Fact]
    public void A_thumbprint_is_read_in_both_forms()
    {
        Assert.Equal(Thumbprint, KeyThumbprint.Parse("oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"));
        Assert.Equal(Thumbprint, KeyThumbprint.Parse(Thumbprint.ToUpperInvariant()));
        Assert.All(["", "x", Thumbprint[1..], Thumbprint + "a", "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-", "!KIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"], text => Assert.Null(KeyThumbprint.Parse(text)));
    }

    // RFC 4648 §10, in lower case and without padding
    [Theory]
    [InlineData("", "")]
    [InlineData("f", "my")]
    [InlineData("fo", "mzxq")]
    [InlineData("foo", "mzxw6")]
    [InlineData("foob", "mzxw6yq")]
    [InlineData("fooba", "mzxw6ytb")]
    [InlineData("foobar", "mzxw6ytboi")]
    public void Base32_is_that_of_RFC_4648(string bytes, string text) => Assert.Equal(text, Base32.Encode(System.Text.Encoding.ASCII.GetBytes(bytes)));

    [Fact]
    public void A_new_file_can_be_read_by_its_owner_only()
    {
        using var folder = new ScratchFolder();
        string path = folder.File("new.pem");
        using var made = TunnelIdentity.Create(path);
        using var loaded = TunnelIdentity.Load(path);
        Assert.Equal(made.Thumbprint, loaded.Thumbprint);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Throws<IOException>(() => TunnelIdentity.Create(path));
        using var same = TunnelIdentity.Load(path);
        Assert.Equal(made.Thumbprint, same.Thumbprint);
    }

    [Fact]
    public void A_file_that_others_can_read_is_refused()
    {
        if (OperatingSystem.IsWindows()) return;
        using var folder = new ScratchFolder();
        string path = folder.Write("open.pem", Pem);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        FormatException error = Assert.Throws<FormatException>(() => TunnelIdentity.Load(path));
        Assert.Contains($"'{path}' is open to others", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SEC_1_is_read_too()
    {
        using var folder = new ScratchFolder();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var identity = TunnelIdentity.Load(Protected(folder.Write("sec1.pem", key.ExportECPrivateKeyPem())));
        Assert.Equal(KeyThumbprint.Of(key.ExportParameters(false).Q), identity.Thumbprint);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no key")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----")]
    [InlineData("p384")]
    [InlineData("public")]
    [InlineData("rsa")]
    [InlineData("encrypted")]
    public void What_is_no_such_key_is_refused(string kind)
    {
        using var folder = new ScratchFolder();
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var p256 = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rsa = RSA.Create(2048);
        string text = kind switch
        {
            "p384" => p384.ExportPkcs8PrivateKeyPem(),
            "public" => p256.ExportSubjectPublicKeyInfoPem(),
            "rsa" => rsa.ExportPkcs8PrivateKeyPem(),
            "encrypted" => p256.ExportEncryptedPkcs8PrivateKeyPem("x", new PbeParameters(PbeEncryptionAlgorithm.Aes128Cbc, HashAlgorithmName.SHA256, 10)),
            _ => kind,
        };
        string path = Protected(folder.Write("wrong.pem", text));
        Assert.Contains(path, Assert.Throws<FormatException>(() => TunnelIdentity.Load(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_there_is_named() =>
        Assert.Contains("'/nowhere/key.pem' cannot be read", Assert.Throws<FormatException>(() => TunnelIdentity.Load("/nowhere/key.pem")).Message, StringComparison.Ordinal);

    private static string Protected(string path)
    {
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }
}

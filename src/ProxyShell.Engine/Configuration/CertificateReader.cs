using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Configuration;

/// <summary>Reads certificates: a source in quotes, or an object with source and password reference. Files are followed when they change.</summary>
internal static class CertificateReader
{
    /// <summary>The certificates that a service shows: <c>certificate</c>, and those of <c>certificates</c> after it.</summary>
    public static IReadOnlyList<ServerCertificate> ReadServer(ConfigurationSection section)
    {
        List<ServerCertificate> all = [];
        if (section.TryGet("certificate", out JsonElement first)) all.Add(Read(section.Source, section.At("certificate"), first, LoadServer));
        all.AddRange(section.Items("certificates").Select(item => Read(section.Source, item.Path, item.Value, LoadServer)));
        return all;
    }

    /// <summary>The certificate that a hop is shown, or null.</summary>
    public static X509Certificate2? ReadClient(ConfigurationSection section, string name) =>
        section.TryGet(name, out JsonElement value) ? Read(section.Source, section.At(name), value, CertificateSource.Load) : null;

    /// <summary>The root certificates in PEM or DER files.</summary>
    public static IReadOnlyList<X509Certificate2> ReadAuthorities(ConfigurationSection section, string name) =>
        [.. section.Texts(name).Select(item => section.Source.Locate(item.Path, () => LoadAuthority(Beside(section.Source, item.Path, item.Text))))];

    private static T Read<T>(ConfigurationSource source, string path, JsonElement value, Func<string, string?, T> load)
    {
        if (value.ValueKind == JsonValueKind.String) return Load(source, path, value.GetString()!, null, load);
        var certificate = new ConfigurationSection(source, path, value);
        string from = certificate.Text("source") ?? throw source.Fault(path, "has no \"source\": a PFX or PEM file, or a thumbprint.");
        string? password = null;
        if (certificate.Text("password") is { } text)
        {
            SecretReference reference = source.Secret(certificate.At("password"), text, "the password");
            password = source.Locate(certificate.At("password"), reference.Read);
        }
        certificate.RejectUnknown();
        return Load(source, certificate.At("source"), from, password, load);
    }

    private static T Load<T>(ConfigurationSource source, string path, string from, string? password, Func<string, string?, T> load)
    {
        string place = Beside(source, path, from);
        return source.Locate(path, () => load(place, password));
    }

    // a relative path starts where the file is; a thumbprint is not there
    private static string Beside(ConfigurationSource source, string path, string from)
    {
        if (from.Length == 0) throw source.Fault(path, "is empty; it must be a PFX or PEM file, or a thumbprint.");
        string beside = Path.Combine(source.Directory ?? "", from);
        return File.Exists(beside) ? beside : from;
    }

    private static ServerCertificate LoadServer(string place, string? password) =>
        File.Exists(place) ? new ReloadingCertificate(place, password) : ServerCertificate.From(CertificateSource.Load(place, password));

    private static X509Certificate2 LoadAuthority(string path)
    {
        try
        {
            return X509CertificateLoader.LoadCertificateFromFile(path);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new FormatException($"The certificate '{path}' cannot be loaded: {e.Message}", e);
        }
    }
}

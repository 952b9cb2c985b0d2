using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Configuration;

/// <summary>Reads a server certificate: its source in quotes, or an object with source and password reference.</summary>
internal static class CertificateReader
{
    public static X509Certificate2? Read(ConfigurationSection section, string name)
    {
        if (!section.TryGet(name, out JsonElement value)) return null;
        ConfigurationSource source = section.Source;
        if (value.ValueKind == JsonValueKind.String) return Load(source, section.At(name), value.GetString()!, null);
        var certificate = new ConfigurationSection(source, section.At(name), value);
        string from = certificate.Text("source") ?? throw source.Fault(certificate.Path, "has no \"source\": a PFX or PEM file, or a thumbprint.");
        string? password = null;
        if (certificate.Text("password") is { } text)
        {
            SecretReference reference = source.Secret(certificate.At("password"), text, "the password");
            password = source.Locate(certificate.At("password"), reference.Read);
        }
        certificate.RejectUnknown();
        return Load(source, certificate.At("source"), from, password);
    }

    private static X509Certificate2 Load(ConfigurationSource source, string path, string from, string? password)
    {
        if (from.Length == 0) throw source.Fault(path, "is empty; it must be a PFX or PEM file, or a thumbprint.");
        string beside = Path.Combine(source.Directory ?? "", from);
        return source.Locate(path, () => CertificateSource.Load(File.Exists(beside) ? beside : from, password));
    }
}

using System.Text.Json;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Configuration;

/// <summary>Reads a user name with its password: a reference to <c>user:password</c>, or an object with the name and a reference to the password.</summary>
internal static class CredentialReader
{
    public static IReadOnlyList<ProxyCredential> ReadAll(ConfigurationSection section, string name) =>
        [.. section.Items(name).Select(item => Read(section.Source, item.Path, item.Value))];

    public static ProxyCredential Read(ConfigurationSource source, string path, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String) return source.Locate(path, source.Secret(path, value.GetString()!, "user:password").ReadCredential);
        if (value.ValueKind != JsonValueKind.Object) throw source.Fault(path, $"must refer to user:password as \"env:NAME\" or \"file:PATH\", or be an object with a \"user\", not {ConfigurationSection.Kind(value)}.");
        var section = new ConfigurationSection(source, path, value);
        string user = section.Text("user") ?? throw source.Fault(path, "has no \"user\".");
        string reference = section.Text("password") ?? throw source.Fault(path, "has no \"password\", a reference to it.");
        section.RejectUnknown();
        SecretReference password = source.Secret(section.At("password"), reference, "the password");
        string text = source.Locate(section.At("password"), password.Read);
        return source.Locate(path, () => new ProxyCredential(user, text));
    }
}

using System.Text;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Protocols.Http;

/// <summary>The Basic scheme (RFC 7617): <c>Basic base64(user:password)</c>, in UTF-8.</summary>
internal static class HttpBasic
{
    /// <summary>What a server demands in Proxy-Authenticate.</summary>
    public const string Challenge = "Basic realm=\"ProxyShell\", charset=\"UTF-8\"";

    private const string Scheme = "Basic ";

    /// <summary>The value of Proxy-Authorization for a credential.</summary>
    public static string Write(ProxyCredential credential) =>
        Scheme + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credential.UserName}:{credential.Password}"));

    /// <summary>Reads the value of Proxy-Authorization; false when it is none of this scheme.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out string userName, out string password)
    {
        (userName, password) = ("", "");
        if (value.Length < Scheme.Length || !Ascii.EqualsIgnoreCase(value[..Scheme.Length], Scheme)) return false;
        ReadOnlySpan<byte> base64 = HttpChars.Trim(value[Scheme.Length..]);
        var bytes = new byte[base64.Length];
        if (System.Buffers.Text.Base64.DecodeFromUtf8(base64, bytes, out int used, out int length) != System.Buffers.OperationStatus.Done || used != base64.Length) return false;
        string text = Encoding.UTF8.GetString(bytes, 0, length);
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0) return false;
        (userName, password) = (text[..colon], text[(colon + 1)..]);
        return true;
    }
}

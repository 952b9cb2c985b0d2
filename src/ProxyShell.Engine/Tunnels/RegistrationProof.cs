using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ProxyShell.Engine.Protocols.Tunnels;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tunnels;

/// <summary>
/// The signature of a registration: a JSON Web Signature in compact form (RFC 7515 §3.1), ES256 (RFC 7518 §3.4), with the public key in its
/// header. docs/protocols/tunnel.md, "Registration".
/// </summary>
internal static class RegistrationProof
{
    private const int SignatureLength = 64;

    public static string Sign(TunnelIdentity identity, RegistrationClaims claims)
    {
        var header = new SignatureHeader
        {
            Alg = SignatureHeader.Algorithm,
            Typ = SignatureHeader.Purpose,
            Jwk = new SignatureKey { Kty = "EC", Crv = "P-256", X = Base64Url.EncodeToString(identity.Point.X), Y = Base64Url.EncodeToString(identity.Point.Y) },
        };
        string signed = Part(JsonSerializer.SerializeToUtf8Bytes(header, TunnelJson.Default.SignatureHeader))
            + "." + Part(JsonSerializer.SerializeToUtf8Bytes(claims, TunnelJson.Default.RegistrationClaims));
        return $"{signed}.{Part(identity.Sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    /// <summary>The claims and the key that signed them; null and the fault when it is no valid signature.</summary>
    public static RegistrationClaims? Verify(string jws, out ECPoint point, out string fault)
    {
        point = default;
        string[] parts = jws.Split('.');
        fault = "it is not in compact form";
        if (parts.Length != 3 || Bytes(parts[0]) is not { } header || Bytes(parts[1]) is not { } payload || Bytes(parts[2]) is not { } signature) return null;
        if (TunnelJson.Read(header, TunnelJson.Default.SignatureHeader, out fault) is not { } head) return null;
        if (!TryReadKey(head, out point, out fault)) return null;
        fault = "the signature is not that of its key";
        bool holds = signature.Length == SignatureLength && Holds(point, Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), signature);
        return holds ? TunnelJson.Read(payload, TunnelJson.Default.RegistrationClaims, out fault) : null;
    }

    /// <summary>What a token's proof is made over: the session's two nonces and the key.</summary>
    public static byte[] TokenChallenge(string challenge, string nonce, string thumbprint) =>
        Encoding.UTF8.GetBytes($"proxyshell tunnel token v1\n{challenge}\n{nonce}\n{thumbprint}");

    private static bool TryReadKey(SignatureHeader header, out ECPoint point, out string fault)
    {
        point = default;
        fault = $"its algorithm, type or key is not {SignatureHeader.Algorithm}, {SignatureHeader.Purpose} and one of P-256";
        if (header is not { Alg: SignatureHeader.Algorithm, Typ: SignatureHeader.Purpose, Jwk: { Kty: "EC", Crv: "P-256", X: { } x, Y: { } y } }) return false;
        if (Bytes(x) is not { Length: KeyThumbprint.CoordinateLength } left || Bytes(y) is not { Length: KeyThumbprint.CoordinateLength } right) return false;
        point = new ECPoint { X = left, Y = right };
        return true;
    }

    private static bool Holds(ECPoint point, byte[] signed, byte[] signature)
    {
        try
        {
            using ECDsa key = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = point });
            return key.VerifyData(signed, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        catch (CryptographicException)
        {
            // the point is not on the curve
            return false;
        }
    }

    private static string Part(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);

    private static byte[]? Bytes(string part)
    {
        if (!Base64Url.IsValid(part)) return null;
        return Base64Url.DecodeFromChars(part);
    }
}

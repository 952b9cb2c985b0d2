using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Tunnels;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tunnels;

/// <summary>
/// The challenge of one session and the check of what an agent makes of it: its signature, made for this session and just now, its key, and its
/// token.
/// </summary>
internal sealed class RegistrationCheck(TunnelGatewayOptions options, KeyAdmission keys, byte[]? certificateHash, Action<string> warn)
{
    public const int Version = 1;

    private const int NonceLength = 32;
    private const int MaxSessionName = 100;

    private readonly string _nonce = NewNonce();

    /// <summary>What the agent has to sign.</summary>
    public ControlMessage Challenge => new()
    {
        Type = ControlMessageType.Challenge,
        Version = Version,
        Nonce = _nonce,
        Gateway = options.Domain,
        Token = options.Token is not null,
    };

    public static string NewNonce() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(NonceLength));

    public static void RequireVersion(ControlMessage message)
    {
        if (message.Version is >= Version) return;
        throw Refusals.Of(ProxyErrorReason.Unsupported, $"this end speaks version {Version} of the protocol, and the other one has none in common with it");
    }

    /// <summary>Whether an agent that is refused so would be refused again.</summary>
    public static bool IsFatal(ProxyException e) => e.Reason is not (ProxyErrorReason.Stopping or ProxyErrorReason.ConnectionClosed or ProxyErrorReason.ConnectionReset or ProxyErrorReason.TimedOut);

    /// <summary>Who it is and what it wants.</summary>
    /// <exception cref="ProxyException">It is not admitted; the message says why.</exception>
    public (TunnelClaimant Claimant, TunnelRequest Request) Verify(ControlMessage register)
    {
        RegistrationClaims claims = RegistrationProof.Verify(register.Jws ?? "", out ECPoint point, out string fault)
            ?? throw Refusals.Of(ProxyErrorReason.AuthenticationFailed, $"the registration is not signed: {fault}");
        RequireClock(claims);
        if (claims.Challenge != _nonce || claims.Gateway != options.Domain) throw Refusals.Of(ProxyErrorReason.Replayed, "the registration was signed for another session");
        RequireCertificate(claims);
        string thumbprint = KeyThumbprint.Of(point);
        if (!keys.Admits(thumbprint, warn)) throw Refusals.Of(ProxyErrorReason.AuthenticationFailed, $"the key {thumbprint} may not register here");
        RequireToken(claims, thumbprint);
        TunnelRequest request = claims.Tunnel ?? throw Refusals.Of(ProxyErrorReason.ProtocolError, "the registration does not say what it wants");
        string session = request.SessionName ?? "";
        if (session.Length > MaxSessionName) throw Refusals.Of(ProxyErrorReason.ProtocolError, $"the session name is longer than {MaxSessionName} characters");
        if (request.Instance is { Length: > MaxSessionName }) throw Refusals.Of(ProxyErrorReason.ProtocolError, $"the instance is longer than {MaxSessionName} characters");
        return (new TunnelClaimant(thumbprint, KeyThumbprint.SessionLabel(point, session)), request);
    }

    private void RequireClock(RegistrationClaims claims)
    {
        double ahead = claims.Time - (options.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0);
        if (Math.Abs(ahead) <= options.ClockWindow.TotalSeconds) return;
        string by = Math.Abs(ahead) < 1e9 ? TimeSpan.FromSeconds(Math.Round(Math.Abs(ahead))).ToString("g", CultureInfo.InvariantCulture) : "years";
        throw Refusals.Of(ProxyErrorReason.ClockSkew, $"the agent's clock is {by} {(ahead > 0 ? "ahead of" : "behind")} the gateway's; {options.ClockWindow.TotalSeconds:0.#} s are allowed");
    }

    // where somebody in front of the gateway ends TLS, the gateway knows nothing of that certificate
    private void RequireCertificate(RegistrationClaims claims)
    {
        if (certificateHash is null || claims.Certificate == Base64Url.EncodeToString(certificateHash)) return;
        throw Refusals.Of(ProxyErrorReason.AuthenticationFailed, "the registration was signed for another certificate than the gateway's: somebody is between the two");
    }

    private void RequireToken(RegistrationClaims claims, string thumbprint)
    {
        if (options.Token is not { } token) return;
        byte[] proof = claims.TokenProof is { } text && Base64Url.IsValid(text) ? Base64Url.DecodeFromChars(text) : [];
        if (!token.Verify(RegistrationProof.TokenChallenge(_nonce, claims.Nonce ?? "", thumbprint), proof))
            throw Refusals.Of(ProxyErrorReason.AuthenticationFailed, claims.TokenProof is null ? "a token is required" : "the token is wrong");
    }
}

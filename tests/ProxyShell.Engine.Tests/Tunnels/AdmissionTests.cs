using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Tunnels;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Tests.Tunnels;

/// <summary>Who may register, and how that is proved.</summary>
public class AdmissionTests
{
    private const string Service = "tcp://127.0.0.1:9";

    [Fact]
    public async Task Only_authorized_keys_register_and_the_file_of_them_is_followed()
    {
        using var folder = new ScratchFolder();
        string file = folder.Write("keys", "# nobody yet\n");
        using var named = TunnelIdentity.Create();
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, o => o with { AuthorizedKeys = [named.Thumbprint], AuthorizedKeysFile = file });
        await house.RegisterAsync(Service, o => o with { Identity = named });
        await NameTests.RefusedAsync(house.Agent(Service), ProxyErrorReason.AuthenticationFailed, $"the key {house.Identity.Thumbprint} may not register here");
        folder.Write("keys", $"# one more\n\n{house.Identity.Thumbprint}  the build machine\n");
        await house.RegisterAsync(Service);
        // a broken file changes nothing, and is told of
        folder.Write("keys", "garbage here\n");
        await house.RegisterAsync(Service);
        Assert.Contains("'garbage'", (await House.EventAsync(house.Gateway, ProxyEventKind.Warning)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_is_proved_and_never_sent()
    {
        var token = new TunnelToken("open sesame");
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, o => o with { Token = token });
        await using var tap = new Tap(house.Gateway.LocalPort);
        await house.RegisterAsync(Service, o => o with { Token = token, Gateway = GatewayAddress.Parse($"tunnel://127.0.0.1:{tap.Port}") });
        Assert.True(tap.Seen.Length > 500);
        Assert.Equal(-1, tap.Seen.AsSpan().IndexOf("sesame"u8));
        await NameTests.RefusedAsync(house.Agent(Service), ProxyErrorReason.AuthenticationFailed, "a token is required");
        await NameTests.RefusedAsync(house.Agent(Service, o => o with { Token = new TunnelToken("open sesamE") }), ProxyErrorReason.AuthenticationFailed, "the token is wrong");
        Assert.DoesNotContain("sesame", house.Gateway.Options.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_and_token_must_both_hold()
    {
        var token = new TunnelToken("x");
        using var named = TunnelIdentity.Create();
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, o => o with { AuthorizedKeys = [named.Thumbprint], Token = token });
        await NameTests.RefusedAsync(house.Agent(Service, o => o with { Identity = named }), ProxyErrorReason.AuthenticationFailed, "a token is required");
        await NameTests.RefusedAsync(house.Agent(Service, o => o with { Token = token }), ProxyErrorReason.AuthenticationFailed, "may not register here");
        await house.RegisterAsync(Service, o => o with { Identity = named, Token = token });
    }

    [Theory]
    [InlineData(3600, "the agent's clock is 1:00:00 ahead of the gateway's; 60 s are allowed")]
    [InlineData(-3600, "the agent's clock is 1:00:00 behind the gateway's; 60 s are allowed")]
    public async Task A_clock_that_is_off_by_an_hour_is_refused_with_that_reason(int seconds, string words)
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        var clock = new ShiftedTime(TimeSpan.FromSeconds(seconds));
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => house.Agent(Service, o => o with { TimeProvider = clock }).StartAsync().Within());
        Assert.Equal(ProxyErrorReason.ClockSkew, error.Reason);
        // the last second may have turned
        Assert.Contains(words.Replace("1:00:00", "", StringComparison.Ordinal).Split("  ")[0], error.Message, StringComparison.Ordinal);
        Assert.Matches("(1:00:0[01]|0:59:59)", error.Message);
    }

    [Fact]
    public async Task A_clock_that_is_off_by_half_a_minute_will_do()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        await house.RegisterAsync(Service, o => o with { TimeProvider = new ShiftedTime(TimeSpan.FromSeconds(30)) });
        await house.RegisterAsync(Service, o => o with { TimeProvider = new ShiftedTime(TimeSpan.FromSeconds(-30)) });
    }

    [Fact]
    public async Task A_stolen_signature_serves_for_no_other_session()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        await using RawAgent victim = await RawAgent.ConnectAsync(house.Gateway.LocalPort);
        string jws = RegistrationProof.Sign(house.Identity, RawAgent.Claims(await victim.ChallengeAsync()));
        await using RawAgent thief = await RawAgent.ConnectAsync(house.Gateway.LocalPort);
        await thief.ChallengeAsync();
        await thief.SendAsync(new ControlMessage { Type = "register", Jws = jws });
        await thief.RefusedAsync("Replayed");
        await victim.SendAsync(new ControlMessage { Type = "register", Jws = jws });
        await victim.ExpectAsync("registered");
        // nor again in its own
        await victim.SendAsync(new ControlMessage { Type = "register", Jws = jws });
        await victim.Session.Completion.Within();
    }

    [Fact]
    public async Task What_was_signed_cannot_be_changed()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        using var mallory = TunnelIdentity.Create();
        string[] changes = ["claims", "key", "alg", "typ", "signature", "short", "form", "curve"];
        foreach (string change in changes)
        {
            await using RawAgent raw = await RawAgent.ConnectAsync(house.Gateway.LocalPort);
            RegistrationClaims claims = RawAgent.Claims(await raw.ChallengeAsync());
            await raw.SendAsync(new ControlMessage { Type = "register", Jws = Changed(change, RegistrationProof.Sign(house.Identity, claims), RegistrationProof.Sign(mallory, claims)) });
            await raw.RefusedAsync("AuthenticationFailed");
        }
    }

    [Fact]
    public void The_vectors_of_the_protocol_page_hold()
    {
        using JsonDocument vectors = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Repository.Root, "docs", "protocols", "tunnel-vectors.json")));
        string Text(string name) => vectors.RootElement.GetProperty(name).GetString()!;
        RegistrationClaims claims = RegistrationProof.Verify(Text("jws"), out ECPoint point, out string fault) ?? throw new InvalidOperationException(fault);
        Assert.Equal(Text("thumbprint"), KeyThumbprint.Of(point));
        Assert.Equal(Text("label"), KeyThumbprint.SessionLabel(point, Text("sessionName")));
        Assert.Equal((Text("challenge"), Text("nonce"), Text("gateway"), Text("tokenProof")), (claims.Challenge, claims.Nonce, claims.Gateway, claims.TokenProof));
        Assert.Equal(vectors.RootElement.GetProperty("time").GetInt64(), claims.Time);
        Assert.Equal(("http", "blog", Text("sessionName")), (claims.Tunnel!.Kind, claims.Tunnel.HostName, claims.Tunnel.SessionName));
        byte[] proof = new TunnelToken(Text("token")).Prove(RegistrationProof.TokenChallenge(claims.Challenge!, claims.Nonce!, Text("thumbprint")));
        Assert.Equal(claims.TokenProof, System.Buffers.Text.Base64Url.EncodeToString(proof));
    }

    private static string Changed(string what, string jws, string other)
    {
        string[] mine = jws.Split('.'), theirs = other.Split('.');
        string Header(string from, string to) => System.Buffers.Text.Base64Url.EncodeToString(
            Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(mine[0])).Replace(from, to, StringComparison.Ordinal)));
        return what switch
        {
            "claims" => $"{mine[0]}.{mine[1][..^6]}AAAAAA.{mine[2]}",
            "key" => $"{theirs[0]}.{mine[1]}.{mine[2]}",
            "alg" => $"{Header("ES256", "none")}.{mine[1]}.",
            "typ" => $"{Header("proxyshell-tunnel", "JWT")}.{mine[1]}.{mine[2]}",
            "signature" => $"{mine[0]}.{mine[1]}.{theirs[2]}",
            "short" => $"{mine[0]}.{mine[1]}.{mine[2][..40]}",
            "curve" => $"{Header("\"x\":\"", "\"x\":\"AAAA")}.{mine[1]}.{mine[2]}",
            _ => $"{mine[0]}.{mine[1]}",
        };
    }

    private sealed class ShiftedTime(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Chains;

namespace ProxyShell.Engine.Tests.Transport;

/// <summary>Ending one direction while bytes come in on the other must not disturb TLS, whatever the moment.</summary>
public class TlsShutdownTests
{
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Half_close_at_any_moment_loses_nothing(string sockets)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = new CertificateRequest("CN=hop", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        (ProxyChain chain, _) = await house.ChainAsync(3, o => o with { Certificate = certificate });
        AccessListener listener = await house.ListenAsync(origin.Endpoint, chain);
        for (int round = 0; round < 100; round++)
        {
            byte[] sent = RandomBytes.Of(300_000 + (round * 1000), seed: round);
            using Client client = await Client.ConnectAsync(listener.LocalPort);
            Task<byte[]> reading = client.ReadToEndAsync();
            await client.SendAsync(sent);
            client.EndSending();
            Assert.Equal(sent, await reading);
        }
        await House.QuietAsync(listener);
        Assert.Equal(0, listener.Counters.Failed);
    }
}

using ProxyShell.Engine.Access;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Proxying;
namespace ProxyShell.Engine.Tests.Transport;
public class TmpStress {
  [Fact] public async Task Loop() {
    await using Origin origin = Origin.Echo();
    for (int i = 0; i < 400; i++) {
      await using var house = new House(Sockets.Linux);
      (ProxyChain chain, ProxyServer[] servers) = await house.ChainAsync(3, o => o with { Certificate = TlsCert });
      AccessListener listener = await house.ListenAsync(origin.Endpoint, chain);
      try {
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        byte[] sent = RandomBytes.Of(600_000);
        Task<byte[]> reading = client.ReadToEndAsync();
        await client.SendAsync(sent);
        client.EndSending();
        Assert.Equal(sent, await reading);
      } catch (Exception e) {
        await Task.Delay(500);
        var all = servers.SelectMany(s => s.Events.ToList()).Concat(listener.Events.ToList()).OrderBy(x => x.Time).Select(x => x.ToString() + " " + x.Connection?.LastError?.InnerException?.ToString() + " sent " + x.BytesSent + " recv " + x.BytesReceived);
        throw new InvalidOperationException("iteration " + i + " " + e.Message + "\n" + string.Join("\n", all));
      }
    }
  }
  private static readonly System.Security.Cryptography.X509Certificates.X509Certificate2 TlsCert = Make();
  private static System.Security.Cryptography.X509Certificates.X509Certificate2 Make() {
    using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
    var req = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=x", key, System.Security.Cryptography.HashAlgorithmName.SHA256);
    return req.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(10));
  }
}

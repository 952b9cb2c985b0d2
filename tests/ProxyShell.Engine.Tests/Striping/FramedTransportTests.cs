using System.Security.Cryptography.X509Certificates;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Striping;

namespace ProxyShell.Engine.Tests.Striping;

/// <summary>What lies between the two ends: TLS from end to end, chains, Unix sockets.</summary>
public class FramedTransportTests
{
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task TLS_reaches_from_end_to_end_through_a_chain_and_shows_who_the_near_end_is(string sockets)
    {
        using X509Certificate2 authority = Certificates.Authority("office"), own = Certificates.Issued(authority, "near");
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        (ProxyChain chain, _) = await house.ChainAsync(2);
        StripedPipeExit far = await Pipe.ExitAsync(house, sockets, origin.Endpoint, o => o with { Certificate = Certificates.Localhost, ClientCertificateThumbprints = [Certificates.Thumbprint(own)] });
        Assert.Equal($"tls://127.0.0.1:{far.LocalPort}", far.Uri);
        TlsTrust trust = TlsTrust.Pinned(far.CertificateThumbprint!);
        StripedPipeEntry known = await Pipe.EntryAsync(house, sockets, TransportAddress.Parse(far.Uri), o => o with { Chains = [chain], PeerTrust = trust, ClientCertificate = own });
        await AssertServesAsync(known);

        StripedPipeEntry stranger = await Pipe.EntryAsync(house, sockets, TransportAddress.Parse(far.Uri), o => o with { PeerTrust = trust });
        await Client.AssertTurnedAwayAsync(stranger.LocalPort);
        Assert.Equal(ProxyErrorReason.AuthenticationFailed, (await House.EventAsync(far, ProxyEventKind.Refused)).Reason);

        StripedPipeEntry deceived = await Pipe.EntryAsync(house, sockets, TransportAddress.Parse(far.Uri), o => o with { PeerTrust = TlsTrust.Pinned(new string('0', 64)), ClientCertificate = own });
        await Client.AssertTurnedAwayAsync(deceived.LocalPort);
        ProxyEvent failed = await House.EventAsync(deceived, ProxyEventKind.Failed);
        Assert.StartsWith($"peer 127.0.0.1:{far.LocalPort}: TLS handshake failed: the server's certificate has thumbprint ", failed.Message, StringComparison.Ordinal);
        Assert.Equal(ProxyErrorReason.TlsFailed, failed.Reason);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Both_ends_may_be_Unix_sockets(string sockets)
    {
        using var folder = new ScratchFolder();
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        StripedPipeExit far = await Pipe.ExitAsync(house, sockets, origin.Endpoint, o => o with { LocalAddress = $"unix:{folder.File("far.sock")}" });
        StripedPipeEntry near = await Pipe.EntryAsync(house, sockets, TransportAddress.Parse(far.Uri));
        await AssertServesAsync(near);
        Assert.Equal($"unix:{folder.File("far.sock")}", near.Events.ToList().First(e => e.Kind == ProxyEventKind.Opened).Destination);
    }

    [Fact]
    public async Task A_hop_that_fails_is_named_with_its_number()
    {
        await using var house = new House(Sockets.Portable);
        int closed = Ports.Take();
        StripedPipeEntry near = await Pipe.EntryAsync(house, Sockets.Portable, TransportAddress.Parse("127.0.0.1:9"), o => o with { Chains = [new ProxyChain(ProxyHop.Parse($"relay://127.0.0.1:{closed}"))] });
        await Client.AssertTurnedAwayAsync(near.LocalPort);
        Assert.StartsWith($"hop 1 (127.0.0.1:{closed}): connection refused", (await House.EventAsync(near, ProxyEventKind.Failed)).Message, StringComparison.Ordinal);
    }

    private static async Task AssertServesAsync(StripedPipeEntry near)
    {
        byte[] bytes = RandomBytes.Of(300_000);
        using Client client = await Client.ConnectAsync(near.LocalPort);
        Task<byte[]> reading = client.ReadToEndAsync();
        await client.SendAsync(bytes);
        client.EndSending();
        Assert.Equal(bytes, await reading);
        await House.QuietAsync(near);
        Assert.Equal(0, near.Counters.Failed);
    }
}

using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Chains;

public class RelayFlightTests
{
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_hop_that_breaks_off_before_the_request_is_sent_is_named(string sockets)
    {
        await using var pair = new ConnectedPair(sockets);
        (DuplexConnection near, DuplexConnection far) = await pair.ConnectAsync();
        ChainPath path = new ProxyChain(ProxyHop.Parse($"relay://{pair.EndPoint}")).Path;
        var target = new FlightTarget(TransportAddress.Tcp(new HostEndpoint("127.0.0.1", 9)), TlsTrust.System, null);
        far.Abort();

        ProxyException error = await Assert.ThrowsAsync<ProxyException>(
            () => PathConnector.EstablishAsync(near, new RelayFlight(near, path, 0, 1, target, TimeProvider.System), path, null, CancellationToken.None).AsTask().Within());

        Assert.Equal((1, ProxyErrorReason.ConnectionReset, ProxyStage.Request), (error.HopNumber, error.Reason, error.Stage));
        Assert.Equal($"hop 1 ({pair.EndPoint}): connection reset instead of an answer", error.Message);
    }
}

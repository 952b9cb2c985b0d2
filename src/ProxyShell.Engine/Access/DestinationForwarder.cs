using System.Net;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Access;

/// <summary>Forwards every connection to one destination.</summary>
internal sealed class DestinationForwarder(InboundContext context, HostEndpoint destination, ProxyHeaderVersion introduction, EndPoint listened) : IClientServer
{
    private const string Protocol = "tcp";

    private readonly FlightTarget _target = new(TransportAddress.Tcp(destination), TlsTrust.System, null);

    public async Task ServeAsync(ServedConnection served)
    {
        DuplexConnection upstream = await ConnectAsync(served).ConfigureAwait(false);
        await context.RelayAsync(served, served.Client, upstream).ConfigureAwait(false);
    }

    // a PROXY header goes before everything that the client says
    private ValueTask<DuplexConnection> ConnectAsync(ServedConnection served) => introduction == ProxyHeaderVersion.None
        ? context.ConnectAsync(served, Protocol, _target, new EarlyPayload(served.Client, served.Record, served.Bandwidth))
        : ConnectIntroducedAsync(served);

    private async ValueTask<DuplexConnection> ConnectIntroducedAsync(ServedConnection served)
    {
        DuplexConnection upstream = await context.ConnectAsync(served, Protocol, _target).ConfigureAwait(false);
        await IntroduceAsync(served, upstream).ConfigureAwait(false);
        return upstream;
    }

    public ValueTask TurnAwayAsync(DuplexConnection connection) => connection.DisposeAsync();

    private async ValueTask IntroduceAsync(ServedConnection served, DuplexConnection upstream)
    {
        ProxyHeader header = served.Addresses;
        // the system does not name the own end of a Unix socket; it is the one that is listened on
        if (header.Destination is null) header = header with { Destination = listened };
        var bytes = new byte[ProxyHeaderCodec.MaxWrittenLength];
        int length = ProxyHeaderCodec.Write(bytes, introduction, header);
        try
        {
            await upstream.WriteAsync(bytes.AsMemory(0, length), served.Clock.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            await upstream.DisposeAsync().ConfigureAwait(false);
            if (e is OperationCanceledException) throw;
            throw RelayFailure.On(ProxySide.Upstream, e);
        }
    }
}

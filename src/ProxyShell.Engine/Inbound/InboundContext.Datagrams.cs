using System.Net;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>Setting up flows of datagrams.</summary>
internal sealed partial class InboundContext
{
    /// <summary>Makes a flow of a client that is connected already part of the service; false when it is one too many.</summary>
    public bool TryEnter(DatagramFlow flow, IPEndPoint client, string destination)
    {
        if (Registry.TryOpen(client, flow, Options.MaxConnections) is not { } record)
        {
            Registry.CountRefused();
            return false;
        }
        flow.Begin(record, destination, Options.UdpIdleTimeout);
        return true;
    }

    /// <summary>
    /// Opens the way of a flow, within the connect time; a failure ends the flow. The sockets of the way are served where
    /// <paramref name="beside"/> is.
    /// </summary>
    public Task OpenAsync(DatagramFlow flow, HostEndpoint destination, DatagramSocket? beside) =>
        OpenAsync(flow, clock => outbound.OpenDatagramsAsync(flow.Record, destination, flow, beside, clock.Allowed, clock.Token));

    /// <summary>As the other one, in whichever way it is opened.</summary>
    public async Task OpenAsync(DatagramFlow flow, Func<SetUpClock, ValueTask<DatagramPath>> open)
    {
        SetUpClock clock = SetUpClock.Rent(Time);
        flow.Record.SetUpWith(clock.Source);
        clock.Allow(Options.ConnectTimeout);
        try
        {
            flow.Attach(await open(clock).ConfigureAwait(false));
        }
        catch (Exception e)
        {
            flow.WasRefused = e is ProxyException { Stage: ProxyStage.Policy, HopNumber: null };
            flow.OnFailed(Explain(e, flow.Record, clock));
        }
        flow.Record.SetUpWith(null);
        clock.Return();
    }

    private static ProxyException Explain(Exception e, ProxyConnection record, SetUpClock clock)
    {
        if (record.AbortReason != ProxyErrorReason.None) return new ProxyException(record.AbortReason, ProxyStage.Relay, null, null, e);
        return e switch
        {
            ProxyException known => known,
            OperationCanceledException => new ProxyException(ProxyErrorReason.TimedOut, ProxyStage.Dial, record.Destination, $"not reached within {clock.Allowed.TotalSeconds:0.###} s", e),
            _ => new ProxyException(ProxyErrorReason.Other, ProxyStage.None, "internal error", e.ToString(), e),
        };
    }
}

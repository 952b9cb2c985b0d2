using System.Net;
using System.Text;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Tunnels;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels;

/// <summary>
/// Joins each channel that the gateway offers to one connection to the service. A channel is accepted when the service is reached, else rejected
/// with the reason: in words that name no address, since strangers may read them.
/// </summary>
internal sealed partial class ServiceJoiner(TunnelAgentOptions options, ConnectionRegistry registry)
{
    private readonly Dialer _dialer = new(options.Sockets, NameResolver.Default);

    /// <summary>Serves one visitor until the end; its record in the registry says how it went.</summary>
    public async Task JoinAsync(ChannelOffer offer)
    {
        if (TunnelJson.Read(Encoding.UTF8.GetBytes(offer.Name), TunnelJson.Default.VisitorHeader, out _) is not { Scheme: { Length: > 0 and <= 16 } scheme } visitor)
        {
            offer.Reject(Told(ProxyErrorReason.ProtocolError));
            return;
        }
        if (registry.TryOpen(EndPointOf(visitor.Client), new PendingVisitor(offer), options.MaxConnections) is not { } record)
        {
            registry.CountRefused();
            offer.Reject(Told(ProxyErrorReason.LimitExceeded));
            return;
        }
        (record.Protocol, record.Destination, record.State) = (scheme, options.Destination.Address.ToString(), ConnectionState.Connecting);
        bool isUdp = options.Destination.Kind == TunnelKind.Udp;
        ProxyException? error = isUdp
            ? await ServeAsync(offer, record, OpenDatagramsAsync, CarryAsync).ConfigureAwait(false)
            : await ServeAsync(offer, record, token => ReachAsync(visitor, token), RelayAsync).ConfigureAwait(false);
        registry.End(record, record.AbortReason == ProxyErrorReason.None ? error : new ProxyException(record.AbortReason, ProxyStage.Relay), refused: false);
    }

    // reaches the service, then accepts, then carries until the end
    private async ValueTask<ProxyException?> ServeAsync<TService>(
        ChannelOffer offer, ProxyConnection record, Func<CancellationToken, ValueTask<TService>> reach, Func<SessionChannel, TService, ProxyConnection, ValueTask<ProxyException?>> carry)
        where TService : class
    {
        SetUpClock clock = SetUpClock.Rent(options.TimeProvider);
        TService? service = null;
        SessionChannel channel;
        try
        {
            record.SetUpWith(clock.Source);
            clock.Allow(options.ConnectTimeout);
            service = await reach(clock.Token).ConfigureAwait(false);
            channel = offer.Accept();
        }
        catch (Exception e)
        {
            ProxyException why = Explain(e, record);
            offer.Reject(Told(why.Reason));
            if (service is IAsyncDisposable connection) await connection.DisposeAsync().ConfigureAwait(false);
            (service as IDisposable)?.Dispose();
            return why;
        }
        finally
        {
            record.SetUpWith(null);
            clock.Return();
        }
        record.ReplaceClient(channel);
        record.State = ConnectionState.Open;
        registry.Write(ProxyEventKind.Opened, "opened", connection: record);
        return await carry(channel, service, record).ConfigureAwait(false);
    }

    private static async ValueTask<ProxyException?> RelayAsync(SessionChannel channel, DuplexConnection service, ProxyConnection record)
    {
        await using (channel.ConfigureAwait(false))
        await using (service.ConfigureAwait(false))
        {
            record.AttachUpstream(service);
            return await Relay.RunAsync(channel, service, record).ConfigureAwait(false);
        }
    }

    private async ValueTask<DuplexConnection> ReachAsync(VisitorHeader visitor, CancellationToken cancellationToken)
    {
        DuplexConnection service = await _dialer.DialAsync(
            options.Destination.Address, DestinationPolicy.AllowAll, options.DestinationTrust, options.DestinationServerName, null, cancellationToken).ConfigureAwait(false);
        if (options.SendProxyProtocol == ProxyHeaderVersion.None) return service;
        try
        {
            (EndPoint? client, EndPoint? gateway) = (EndPointOf(visitor.Client), EndPointOf(visitor.Gateway));
            var header = client is null || gateway is null ? ProxyHeader.Unknown : new ProxyHeader(true, client, gateway);
            var bytes = new byte[ProxyHeaderCodec.MaxWrittenLength];
            int length = ProxyHeaderCodec.Write(bytes, options.SendProxyProtocol, header);
            await service.WriteAsync(bytes.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
            return service;
        }
        catch
        {
            await service.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private ProxyException Explain(Exception e, ProxyConnection record)
    {
        string subject = $"service ({options.Destination})";
        if (record.AbortReason != ProxyErrorReason.None) return new ProxyException(record.AbortReason, ProxyStage.Dial, null, null, e);
        return e switch
        {
            ProxyException known => new ProxyException(known.Reason, known.Stage, known.Subject ?? subject, known.Detail, known) { Side = ProxySide.Upstream },
            OperationCanceledException => new ProxyException(ProxyErrorReason.TimedOut, ProxyStage.Dial, subject, $"not reached within {options.ConnectTimeout.TotalSeconds:0.###} s", e) { Side = ProxySide.Upstream },
            _ => new ProxyException(ProxyErrorReason.Other, ProxyStage.None, "internal error", e.ToString(), e),
        };
    }

    private static ProxyException Told(ProxyErrorReason reason) => new(reason, ProxyStage.Request);

    private static IPEndPoint? EndPointOf(string? text) => IPEndPoint.TryParse(text ?? "", out IPEndPoint? endpoint) ? endpoint : null;
}

using System.Globalization;
using System.Net;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Socks;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>
/// BIND (RFC 1928 §4 and §6): a port on the address that the client reached; a first reply tells the port, a second one the peer that
/// connected to it. Only where the way out is direct: a hop would have to accept in our place.
/// </summary>
internal sealed partial class SocksInbound
{
    // the client tells its peer of the port by other ways, as FTP does, and people may be among them
    private static readonly TimeSpan BindTime = TimeSpan.FromMinutes(1);

    private async Task BindAsync(ServedConnection served, SocksRequest request)
    {
        ProxyConnection record = served.Record;
        (record.Protocol, record.Destination, record.State) = ($"{NameOf(request.Version)}-bind", request.Address.ToString(), ConnectionState.Connecting);
        try
        {
            served.Clock.Allow(Context.Options.ConnectTimeout);
            SocksBinding binding = await OpenAsync(served, request).ConfigureAwait(false);
            await using (binding.ConfigureAwait(false)) await AcceptAsync(served, request.Version, binding).ConfigureAwait(false);
        }
        catch (ProxyException e) when (record.State == ConnectionState.Connecting && record.AbortReason == ProxyErrorReason.None)
        {
            await RefuseAsync(served, request.Version, e).ConfigureAwait(false);
            throw;
        }
    }

    private async ValueTask<SocksBinding> OpenAsync(ServedConnection served, SocksRequest request)
    {
        Route route = Context.Outbound.Choose(request.Address);
        served.Record.Chain = route.Chain.ToString();
        if (route.Chain.Count > 0) throw Unsupported($"asks for BIND, which a chain cannot do ({route.Chain})");
        if (served.Client.LocalEndPoint is not IPEndPoint { Address: var local }) throw Unsupported("asks for BIND on a connection without an IP address");
        IPAddress[] named = await NamedPeersAsync(route, request.Address, served.Clock.Token).ConfigureAwait(false);
        if (local.IsIPv4MappedToIPv6) local = local.MapToIPv4();
        return new SocksBinding(Context.Options.Sockets, local, peer => named.Length == 0 ? MayCome(peer) : named.Contains(peer.Address));
    }

    private async Task AcceptAsync(ServedConnection served, byte version, SocksBinding binding)
    {
        served.Clock.Allow(BindTime);
        await ReplyAsync(served, version, binding.EndPoint).ConfigureAwait(false);
        DuplexConnection peer = await AwaitPeerAsync(served, binding).ConfigureAwait(false);
        await using (peer.ConfigureAwait(false))
        {
            await binding.DisposeAsync().ConfigureAwait(false);
            var from = (IPEndPoint)peer.RemoteEndPoint!;
            served.Record.Destination = from.ToString();
            served.Record.AttachUpstream(peer);
            await ReplyAsync(served, version, from).ConfigureAwait(false);
            await Context.RelayAsync(served, served.Client, peer).ConfigureAwait(false);
        }
    }

    // a client that leaves takes its port with it
    private static async ValueTask<DuplexConnection> AwaitPeerAsync(ServedConnection served, SocksBinding binding)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(served.Clock.Token);
        Task<bool> leaving = HasLeftAsync(served.Client, end.Token);
        try
        {
            await Task.WhenAny(binding.Peer.WaitAsync(end.Token), leaving).ConfigureAwait(false);
            if (!binding.Peer.IsCompleted && leaving.IsCompleted && await leaving.ConfigureAwait(false))
                throw Left(served);
            await binding.Peer.WaitAsync(end.Token).ConfigureAwait(false);
            return await binding.TakeAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException e)
        {
            string detail = string.Create(CultureInfo.InvariantCulture, $"no peer came to {binding.EndPoint} within {served.Clock.Allowed.TotalSeconds:0.###} s");
            throw new ProxyException(ProxyErrorReason.TimedOut, ProxyStage.Dial, null, detail, e);
        }
        finally
        {
            await end.CancelAsync().ConfigureAwait(false);
            await leaving.ConfigureAwait(false);
        }
    }

    // an abort closes the client's connection too
    private static ProxyException Left(ServedConnection served) => served.Record.AbortReason == ProxyErrorReason.None
        ? InboundContext.Refused(served, ProxyErrorReason.ConnectionClosed, "left before its peer came")
        : new ProxyException(served.Record.AbortReason, ProxyStage.Relay);

    // waits for the client's end; something that it says too early is kept and ends the watch
    private static async Task<bool> HasLeftAsync(DuplexConnection client, CancellationToken stop)
    {
        using var reader = new HeaderReader(client, 4096);
        try
        {
            return !await reader.ReadMoreAsync(stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        catch (ProxyException)
        {
            return true;
        }
    }

    /// <summary>The addresses that the request names and policy allows; none when it names nobody.</summary>
    private static async ValueTask<IPAddress[]> NamedPeersAsync(Route route, HostEndpoint named, CancellationToken cancellationToken)
    {
        if (named.Address is { } address && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))) return [];
        try
        {
            IPAddress[] allowed = route.Policy.Filter(named, await NameResolver.Default.ResolveAsync(named, cancellationToken).ConfigureAwait(false));
            return allowed.Length > 0 ? allowed : throw new ProxyException(ProxyErrorReason.Forbidden, ProxyStage.Policy, $"destination {named}");
        }
        catch (OperationCanceledException e)
        {
            throw new ProxyException(ProxyErrorReason.TimedOut, ProxyStage.Resolve, $"destination {named}", "its name was not resolved in time", e);
        }
    }

    private bool MayCome(IPEndPoint peer)
    {
        try
        {
            var endpoint = HostEndpoint.From(peer);
            Route route = Context.Outbound.Choose(endpoint);
            return route.Chain.Count == 0 && route.Policy.Allows(endpoint, peer.Address);
        }
        catch (ProxyException)
        {
            return false;
        }
    }
}

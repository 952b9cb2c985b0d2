using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;
using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Relaying;

/// <summary>
/// Joins two connections until both directions have ended or one side failed, then closes both. An end is passed on as an end
/// (half-close), a failure as a reset. Counts the bytes that were written on.
/// </summary>
public static class Relay
{
    private static readonly bool SpliceAllowed = Environment.GetEnvironmentVariable("PROXYSHELL_RELAY") != "buffered";

    /// <summary>Relays without a bandwidth limit; returns null after an orderly end, else the first failure, which names its side.</summary>
    public static ValueTask<ProxyException?> RunAsync(DuplexConnection client, DuplexConnection upstream, Traffic traffic) =>
        RunAsync(client, upstream, traffic, Bandwidth.Unlimited);

    /// <summary>Relays; returns null after an orderly end, else the first failure, which names its side.</summary>
    internal static ValueTask<ProxyException?> RunAsync(DuplexConnection client, DuplexConnection upstream, Traffic traffic, Bandwidth bandwidth)
    {
        // what a header reader read too much goes first; where there is none, no frame of ours lives as long as the connection
        ReadOnlyMemory<byte> up = client.TakeUnread(), down = upstream.TakeUnread();
        return up.IsEmpty && down.IsEmpty
            ? JoinAsync(client, upstream, traffic, bandwidth)
            : ForwardAndJoinAsync(client, upstream, up, down, traffic, bandwidth);
    }

    private static ValueTask<ProxyException?> JoinAsync(DuplexConnection client, DuplexConnection upstream, Traffic traffic, Bandwidth bandwidth) =>
        SpliceAllowed && client is LinuxConnection first && upstream is LinuxConnection second
            ? new ValueTask<ProxyException?>(new SocketRelay(first, second, traffic, bandwidth).RunAsync())
            : new BufferedRelay(client, upstream, traffic, bandwidth).RunAsync();

    private static async ValueTask<ProxyException?> ForwardAndJoinAsync(
        DuplexConnection client, DuplexConnection upstream, ReadOnlyMemory<byte> up, ReadOnlyMemory<byte> down, Traffic traffic, Bandwidth bandwidth) =>
        await ForwardAsync(client, upstream, up, down, traffic, bandwidth).ConfigureAwait(false) ?? await JoinAsync(client, upstream, traffic, bandwidth).ConfigureAwait(false);

    private static async ValueTask<ProxyException?> ForwardAsync(
        DuplexConnection client, DuplexConnection upstream, ReadOnlyMemory<byte> up, ReadOnlyMemory<byte> down, Traffic traffic, Bandwidth bandwidth)
    {
        bandwidth.Charge(up.Length, TrafficDirection.Sent);
        bandwidth.Charge(down.Length, TrafficDirection.Received);
        ProxySide writing = ProxySide.Upstream;
        try
        {
            if (!up.IsEmpty) await upstream.WriteAsync(up, CancellationToken.None).ConfigureAwait(false);
            traffic.AddSent(up.Length);
            writing = ProxySide.Client;
            if (!down.IsEmpty) await client.WriteAsync(down, CancellationToken.None).ConfigureAwait(false);
            traffic.AddReceived(down.Length);
            return null;
        }
        catch (ProxyException e)
        {
            ProxyException failure = RelayFailure.On(writing, e);
            client.Abort(failure);
            upstream.Abort(failure);
            return failure;
        }
    }
}

using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Transport;

/// <summary>
/// Resolves host names, IPv6 and IPv4 in turn (RFC 8305 §4). When the name server does not answer, the last good answer for the
/// name is used; a name that does not exist is an error at once.
/// </summary>
internal sealed class NameResolver
{
    private const int MaxRemembered = 1024;

    private readonly ConcurrentDictionary<string, IPAddress[]> _lastGood = new(StringComparer.OrdinalIgnoreCase);

    public static NameResolver Default { get; } = new();

    public async ValueTask<IPAddress[]> ResolveAsync(HostEndpoint endpoint, CancellationToken cancellationToken)
    {
        if (endpoint.Address is { } literal) return [literal];
        try
        {
            IPAddress[] addresses = Interleave(await Dns.GetHostAddressesAsync(endpoint.Host, cancellationToken).ConfigureAwait(false));
            if (addresses.Length == 0) throw NotFound(endpoint, null);
            if (_lastGood.Count >= MaxRemembered) _lastGood.Clear();
            return _lastGood[endpoint.Host] = addresses;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.TryAgain && _lastGood.TryGetValue(endpoint.Host, out IPAddress[]? remembered))
        {
            return remembered;
        }
        catch (SocketException e)
        {
            throw NotFound(endpoint, e);
        }
        catch (ArgumentException e)
        {
            throw NotFound(endpoint, e);
        }
    }

    /// <summary>IPv6 and IPv4 addresses in turn, each family in its own order, the family of the first one first.</summary>
    internal static IPAddress[] Interleave(IPAddress[] addresses)
    {
        if (addresses.Length < 2) return addresses;
        AddressFamily firstFamily = addresses[0].AddressFamily;
        var first = new Queue<IPAddress>(addresses.Where(a => a.AddressFamily == firstFamily));
        var second = new Queue<IPAddress>(addresses.Where(a => a.AddressFamily != firstFamily));
        var result = new List<IPAddress>(addresses.Length);
        while (first.Count + second.Count > 0)
        {
            if (first.TryDequeue(out IPAddress? a)) result.Add(a);
            if (second.TryDequeue(out IPAddress? b)) result.Add(b);
        }
        return [.. result];
    }

    private static ProxyException NotFound(HostEndpoint endpoint, Exception? inner) =>
        new(ProxyErrorReason.NameNotFound, ProxyStage.Resolve, null, $"name '{endpoint.Host}' not found", inner);
}

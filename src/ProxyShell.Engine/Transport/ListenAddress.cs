using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Transport;

/// <summary>The local address of a listener, read from text.</summary>
internal static class ListenAddress
{
    private const string UnixPrefix = "unix:";

    /// <summary>Reads an IP address, <c>localhost</c>, <c>*</c> (all addresses, IPv6 and IPv4) or <c>unix:/path</c>.</summary>
    /// <exception cref="FormatException">The text is none of these.</exception>
    public static EndPoint Parse(string address, int port)
    {
        if (address.StartsWith(UnixPrefix, StringComparison.Ordinal)) return ParseUnix(address[UnixPrefix.Length..]);
        string bare = address.StartsWith('[') && address.EndsWith(']') ? address[1..^1] : address;
        if (bare == "*") return new IPEndPoint(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, port);
        if (bare.Equals("localhost", StringComparison.OrdinalIgnoreCase)) return new IPEndPoint(IPAddress.Loopback, port);
        if (IPAddress.TryParse(bare, out IPAddress? ip)) return new IPEndPoint(ip, port);
        throw new FormatException($"LocalAddress is '{address}'; it must be an IP address of this machine, 'localhost', '*' or 'unix:/path'.");
    }

    /// <summary>Whether only this machine can reach the address.</summary>
    public static bool IsLocalOnly(EndPoint endpoint) => endpoint is not IPEndPoint ip || IPAddress.IsLoopback(ip.Address);

    /// <summary>
    /// Removes the socket file that a dead process left behind. A file that is no socket, or a socket that somebody answers on, stays.
    /// </summary>
    public static async Task RemoveStaleSocketAsync(UnixDomainSocketEndPoint endpoint, CancellationToken cancellationToken)
    {
        string path = endpoint.ToString();
        if (!File.Exists(path)) return;
        try
        {
            DuplexConnection living = await SocketTransport.Default.ConnectAsync(endpoint, cancellationToken).ConfigureAwait(false);
            await living.DisposeAsync().ConfigureAwait(false);
        }
        catch (ProxyException e) when (e.Reason == ProxyErrorReason.ConnectionRefused && IsSocket(path))
        {
            File.Delete(path);
        }
        catch (ProxyException)
        {
            // whatever it is, it is not a dead socket: binding will say so
        }
    }

    // A socket file exists but cannot be opened: ENXIO on Linux, EOPNOTSUPP on macOS, ERROR_CANT_ACCESS_FILE on Windows. Asked
    // for without a lock, so that a file in use does not look like one, and for both ways, since reading alone waits on a FIFO.
    private static bool IsSocket(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            return false;
        }
        catch (IOException e)
        {
            return e.HResult is 6 or 102 or unchecked((int)0x80070780);
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static UnixDomainSocketEndPoint ParseUnix(string path)
    {
        if (!Path.IsPathRooted(path)) throw new FormatException($"LocalAddress is 'unix:{path}'; the path of a Unix socket must be absolute.");
        try
        {
            return new UnixDomainSocketEndPoint(path);
        }
        catch (ArgumentOutOfRangeException)
        {
            throw new FormatException($"LocalAddress is 'unix:{path}'; the path of a Unix socket has at most 107 bytes.");
        }
    }
}

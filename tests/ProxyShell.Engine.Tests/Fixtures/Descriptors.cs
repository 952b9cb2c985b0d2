using System.Net;
using System.Net.NetworkInformation;

namespace ProxyShell.Engine.Tests.Fixtures;

internal static class Descriptors
{
    /// <summary>Open descriptors of this process; 0 where the system does not tell.</summary>
    public static int Count() => Directory.Exists("/proc/self/fd") ? Directory.GetFileSystemEntries("/proc/self/fd").Length : 0;

    /// <summary>Whether nobody listens on the port of loopback.</summary>
    public static bool IsPortFree(int port) =>
        !IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Contains(new IPEndPoint(IPAddress.Loopback, port));
}

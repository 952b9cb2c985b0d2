using System.Net;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;
using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Tests.Transport;

/// <summary>The engine's own sockets; on other systems this suite runs over the portable ones once more.</summary>
public sealed class LinuxTransportTests() : TransportContract(OperatingSystem.IsLinux() && LinuxTransport.IsSupported ? Sockets.Linux : Sockets.Portable)
{
    // a busy kernel may put a handshake off now and then, and a dial that waits may be over before it is looked at
    private const int Dials = 20, Most = 15;

    [Fact]
    public async Task Dials_within_the_machine_are_over_at_once()
    {
        if (!OperatingSystem.IsLinux() || !LinuxTransport.IsSupported) return;
        await using ConnectionListener listener = Sockets.Of(Sockets.Linux).Listen(new IPEndPoint(IPAddress.Loopback, 0));
        int over = 0;
        for (int i = 0; i < Dials; i++)
        {
            ValueTask<DuplexConnection> dial = Sockets.Of(Sockets.Linux).ConnectAsync(listener.LocalEndPoint, CancellationToken.None);
            if (dial.IsCompleted) over++;
            await using DuplexConnection connection = await dial;
        }
        Assert.InRange(over, Most, Dials);
    }

    [Fact]
    public async Task Refusals_within_the_machine_are_told_at_once()
    {
        if (!OperatingSystem.IsLinux() || !LinuxTransport.IsSupported) return;
        var nobody = new IPEndPoint(IPAddress.Loopback, Ports.Take());
        int over = 0;
        for (int i = 0; i < Dials; i++)
        {
            ValueTask<DuplexConnection> dial = Sockets.Of(Sockets.Linux).ConnectAsync(nobody, CancellationToken.None);
            if (dial.IsCompleted) over++;
            ProxyException error = await Assert.ThrowsAsync<ProxyException>(async () => await dial);
            Assert.Equal(ProxyErrorReason.ConnectionRefused, error.Reason);
        }
        Assert.InRange(over, Most, Dials);
    }
}

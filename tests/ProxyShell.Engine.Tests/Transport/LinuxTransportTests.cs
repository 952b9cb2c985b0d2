using System.Net;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;
using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Tests.Transport;

/// <summary>The engine's own sockets; on other systems this suite runs over the portable ones once more.</summary>
public sealed class LinuxTransportTests() : TransportContract(OperatingSystem.IsLinux() && LinuxTransport.IsSupported ? Sockets.Linux : Sockets.Portable)
{
    [Fact]
    public async Task A_dial_within_the_machine_is_over_at_once()
    {
        if (!OperatingSystem.IsLinux() || !LinuxTransport.IsSupported) return;
        await using ConnectionListener listener = Sockets.Of(Sockets.Linux).Listen(new IPEndPoint(IPAddress.Loopback, 0));

        ValueTask<DuplexConnection> dial = Sockets.Of(Sockets.Linux).ConnectAsync(listener.LocalEndPoint, CancellationToken.None);
        bool wasOver = dial.IsCompleted;
        await using DuplexConnection connection = await dial;

        Assert.True(wasOver, "the dial waited for the loop");
    }

    [Fact]
    public async Task A_refusal_within_the_machine_is_told_at_once()
    {
        if (!OperatingSystem.IsLinux() || !LinuxTransport.IsSupported) return;

        ValueTask<DuplexConnection> dial = Sockets.Of(Sockets.Linux).ConnectAsync(new IPEndPoint(IPAddress.Loopback, Ports.Take()), CancellationToken.None);
        bool wasOver = dial.IsCompleted;
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(async () => await dial);

        Assert.True(wasOver, "the dial waited for the loop");
        Assert.Equal(ProxyErrorReason.ConnectionRefused, error.Reason);
    }
}

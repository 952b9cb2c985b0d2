using System.Net;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;
using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Tests.Transport;

/// <summary>The engine's own sockets; on other systems this suite runs over the portable ones once more.</summary>
public sealed class LinuxTransportTests() : TransportContract(OperatingSystem.IsLinux() && LinuxTransport.IsSupported ? Sockets.Linux : Sockets.Portable)
{
    // a busy kernel may put a handshake off now and then
    private const int Dials = 20, Most = 15;

    [Fact]
    public async Task Dials_within_the_machine_are_over_at_once_on_a_loop()
    {
        if (!OperatingSystem.IsLinux() || !LinuxTransport.IsSupported) return;
        await using ConnectionListener listener = Sockets.Of(Sockets.Linux).Listen(new IPEndPoint(IPAddress.Loopback, 0));
        int over = 0;
        for (int i = 0; i < Dials; i++)
        {
            (Task<DuplexConnection> dial, bool wasOver) = await LoopDial.RunAsync(listener.LocalEndPoint);
            if (wasOver) over++;
            await using DuplexConnection connection = await dial;
        }
        Assert.InRange(over, Most, Dials);
    }

    [Fact]
    public async Task Refusals_within_the_machine_are_told_at_once_on_a_loop()
    {
        if (!OperatingSystem.IsLinux() || !LinuxTransport.IsSupported) return;
        var nobody = new IPEndPoint(IPAddress.Loopback, Ports.Take());
        int over = 0;
        for (int i = 0; i < Dials; i++)
        {
            (Task<DuplexConnection> dial, bool wasOver) = await LoopDial.RunAsync(nobody);
            if (wasOver) over++;
            ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => dial);
            Assert.Equal(ProxyErrorReason.ConnectionRefused, error.Reason);
        }
        Assert.InRange(over, Most, Dials);
    }

    /// <summary>A dial that begins on a loop's thread, as those of services do.</summary>
    private sealed class LoopDial(EndPoint to) : ILoopWork
    {
        private readonly TaskCompletionSource<(Task<DuplexConnection>, bool)> _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public static Task<(Task<DuplexConnection> Dial, bool WasOver)> RunAsync(EndPoint to)
        {
            var dial = new LoopDial(to);
            EpollLoops.Next().Post(dial);
            return dial._begun.Task.Within();
        }

        public void Run(EpollLoop loop)
        {
            Task<DuplexConnection> dial = Sockets.Of(Sockets.Linux).ConnectAsync(to, CancellationToken.None).AsTask();
            _begun.SetResult((dial, dial.IsCompleted));
        }

        public void OnFault(Exception error) => _begun.SetException(error);
    }
}

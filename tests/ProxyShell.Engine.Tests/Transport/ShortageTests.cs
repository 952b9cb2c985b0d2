using System.Net;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Tests.Transport;

/// <summary>What happens when the system gives no more descriptors.</summary>
public class ShortageTests
{
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Accepting_pauses_and_goes_on(string sockets)
    {
        if (!OperatingSystem.IsLinux()) return;
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(origin.Endpoint);
        using Client open = await Client.ConnectAsync(listener.LocalPort), late = new();
        await AssertEchoesAsync(open);
        using (new DescriptorShortage())
        {
            await late.Socket.ConnectAsync(IPAddress.Loopback, listener.LocalPort).Within();
            await Deadline.Until(
                () => Warnings(listener).Count >= 4 || listener.Counters.Accepted > 1, "four attempts to accept");
            Assert.Equal(1, listener.Counters.Accepted);
            List<ProxyEvent> warnings = Warnings(listener);
            Assert.All(warnings, w => Assert.StartsWith($"cannot accept on 127.0.0.1:{listener.LocalPort}: ", w.Message, StringComparison.Ordinal));
            Assert.Equal(ProxyErrorReason.ResourceExhausted, warnings[0].Reason);
            // the pauses are 25, 50, 100 ms …; each of the loops may have tried
            Assert.InRange(warnings[3].Time - warnings[0].Time, TimeSpan.FromMilliseconds(40), TimeSpan.FromSeconds(10));
            // what is open goes on
            await AssertEchoesAsync(open);
        }
        await AssertEchoesAsync(late);
        Assert.Equal(2, listener.Counters.Accepted);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_connection_that_cannot_be_passed_on_is_told(string sockets)
    {
        if (!OperatingSystem.IsLinux()) return;
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(origin.Endpoint);
        using (Client warm = await Client.ConnectAsync(listener.LocalPort)) await AssertEchoesAsync(warm);
        await House.QuietAsync(listener);
        ProxyException? error = null;
        using (new DescriptorShortage())
        {
            error = await Assert.ThrowsAsync<ProxyException>(() => Sockets.Of(sockets).ConnectAsync(new IPEndPoint(IPAddress.Loopback, origin.Port), default).AsTask().Within());
        }
        Assert.Equal((ProxyErrorReason.ResourceExhausted, ProxyStage.Dial), (error.Reason, error.Stage));
    }

    // the pump asks the loop for a pipe once traffic is bulk; here none is to be had
    [Fact]
    public async Task Without_pipes_bulk_traffic_is_copied()
    {
        if (!OperatingSystem.IsLinux() || !LinuxTransport.IsSupported) return;
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Linux);
        AccessListener listener = await house.ListenAsync(origin.Endpoint);
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await AssertEchoesAsync(client);
        byte[] sent = RandomBytes.Of(5_000_000), got;
        using (new DescriptorShortage())
        {
            await using IdlePipes taken = await IdlePipes.TakeAsync();
            Task<byte[]> reading = client.ReadToEndAsync();
            await client.SendAsync(sent);
            client.EndSending();
            got = await reading;
        }
        Assert.Equal(sent, got);
        await House.QuietAsync(listener);
        Assert.Equal(0, listener.Counters.Failed);
    }

    private static List<ProxyEvent> Warnings(AccessListener listener) => [.. listener.Events.ToList().Where(e => e.Kind == ProxyEventKind.Warning)];

    private static async Task AssertEchoesAsync(Client client)
    {
        await client.SendAsync("x");
        Assert.Equal("x"u8.ToArray(), await client.ReadAsync(1));
    }

    /// <summary>Holds the pipes that the loops kept from earlier traffic.</summary>
    private sealed class IdlePipes : IAsyncDisposable
    {
        private readonly Errand[] _errands = [.. EpollLoops.All.Select(_ => new Errand())];

        public static async Task<IdlePipes> TakeAsync()
        {
            var pipes = new IdlePipes();
            await pipes.RunAsync();
            return pipes;
        }

        public async ValueTask DisposeAsync() => await RunAsync();

        private async Task RunAsync()
        {
            for (int i = 0; i < _errands.Length; i++) await _errands[i].RunAsync(EpollLoops.All[i]);
        }
    }

    /// <summary>Runs on a loop's thread: the first time it takes all pipes, the second time it gives them back.</summary>
    private sealed class Errand : ILoopWork
    {
        private readonly Stack<SplicePipe> _held = new();
        private TaskCompletionSource _done = new();
        private bool _taken;

        public Task RunAsync(EpollLoop loop)
        {
            _done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            loop.Post(this);
            return _done.Task.Within();
        }

        public void Run(EpollLoop loop)
        {
            if (!_taken)
            {
                while (loop.Pipes.Rent() is { } pipe) _held.Push(pipe);
            }
            else
            {
                while (_held.TryPop(out SplicePipe? pipe)) loop.Pipes.Return(pipe, isEmpty: true);
            }
            _taken = true;
            _done.SetResult();
        }

        public void OnFault(Exception error) => _done.TrySetException(error);
    }
}

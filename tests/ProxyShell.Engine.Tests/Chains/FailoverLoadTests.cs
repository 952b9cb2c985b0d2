using System.Net.Sockets;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;

namespace ProxyShell.Engine.Tests.Chains;

/// <summary>The active alternate is killed while many clients connect, and comes back.</summary>
public class FailoverLoadTests
{
    private const int Clients = 16;

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task New_connections_notice_nothing_and_the_alternate_rejoins(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        ProxyServer active = await house.ReturningProxyAsync(), standby = await house.ProxyAsync();
        var group = new HopGroup([new HopAlternate(active.ToHop()), new HopAlternate(standby.ToHop())]);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, new ProxyChain([group]), o => o with { EventCapacity = 100_000 });
        using var load = new Load(listener);

        await load.UntilMoreAsync(200);
        Assert.Equal(0, standby.Counters.BytesSent);
        // open connections through it die with it; those that begin from here on must not
        load.Era = Era.Kill;
        await active.StopAsync(TimeSpan.Zero).Within();
        load.Era = Era.After;
        await load.UntilMoreAsync(500);
        Assert.Empty(load.Failures);
        Assert.Equal(AlternateState.Down, group.Choice![0].State);
        Assert.True(standby.Counters.BytesSent > 0);

        ProxyServer back = await house.ReturningProxyAsync(active.LocalPort);
        await Deadline.Until(() => group.Choice[0].State == AlternateState.Up, "it rejoins");
        await load.UntilMoreAsync(200);
        Assert.True(back.Counters.BytesSent > 0);
        await load.EndAsync();

        Assert.Empty(load.Failures);
        string[] told = [.. listener.Events.ToList().Where(e => e.Kind == ProxyEventKind.Health).Select(e => e.Message)];
        Assert.Contains(told, message => message.StartsWith($"{active.Uri} at place 1 is down: ", StringComparison.Ordinal));
        Assert.Contains($"{active.Uri} at place 1 is up again", told);
    }

    private enum Era
    {
        Before,
        Kill,
        After,
    }

    /// <summary>Clients that connect, say something, hear it back and begin again, until told to stop.</summary>
    private sealed class Load : IDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _clients;
        private readonly int _port;
        private int _done;
        private int _era;

        public Load(AccessListener listener)
        {
            _port = listener.LocalPort;
            _clients = Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(RunAsync)));
        }

        public Era Era
        {
            get => (Era)Volatile.Read(ref _era);
            set => Volatile.Write(ref _era, (int)value);
        }

        public List<string> Failures { get; } = [];

        public async Task UntilMoreAsync(int count)
        {
            int goal = Volatile.Read(ref _done) + count;
            await Deadline.Until(() => Volatile.Read(ref _done) >= goal || Failures.Count > 0, $"{count} more connections");
        }

        public async Task EndAsync()
        {
            await _stop.CancelAsync();
            await _clients.Within();
        }

        public void Dispose() => _stop.Dispose();

        private async Task RunAsync()
        {
            while (!_stop.IsCancellationRequested)
            {
                Era begun = Era;
                try
                {
                    await EchoAsync();
                    Interlocked.Increment(ref _done);
                }
                catch (Exception e) when (e is SocketException or Xunit.Sdk.XunitException or TimeoutException)
                {
                    if (begun < Era.After && Era > Era.Before) continue;
                    lock (Failures) Failures.Add(e.Message);
                }
            }
        }

        private async Task EchoAsync()
        {
            using Client client = await Client.ConnectAsync(_port);
            await client.SendAsync("hello");
            client.EndSending();
            Assert.Equal("hello"u8.ToArray(), await client.ReadToEndAsync());
        }
    }
}

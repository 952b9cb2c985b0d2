using System.Net;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Tests.Diagnostics;

public class ConnectionRegistryTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public async Task Totals_are_exact_while_connections_come_and_go()
    {
        const int workers = 8, each = 2000;
        using ConnectionRegistry registry = New(eventCapacity: 10);
        using var over = new CancellationTokenSource();
        Task watching = Task.Run(() =>
        {
            (long Sent, long Received) last = default;
            while (!over.IsCancellationRequested)
            {
                (long Sent, long Received) now = registry.Totals();
                Assert.True(now.Sent >= last.Sent && now.Received >= last.Received, "totals never go back");
                Assert.InRange(registry.Count, 0, workers);
                last = now;
            }
        });
        await Task.WhenAll(Enumerable.Range(0, workers).Select(worker => Task.Run(() =>
        {
            for (int i = 0; i < each; i++)
            {
                ProxyConnection connection = Open(registry)!;
                connection.AddSent(worker);
                connection.AddReceived(3);
                connection.AddSent(i);
                registry.End(connection, i % 4 == 0 ? new ProxyException(ProxyErrorReason.Other, ProxyStage.None) : null, refused: i % 8 == 0);
            }
        }))).Within();
        await over.CancelAsync();
        await watching.Within();

        Assert.Equal(workers * each, registry.Accepted);
        Assert.Equal(workers * each / 8, registry.Refused);
        Assert.Equal(workers * each / 8, registry.Failed);
        long sent = Enumerable.Range(0, workers).Sum(w => (long)w * each) + (workers * ((long)each * (each - 1) / 2));
        Assert.Equal((sent, workers * each * 3L), registry.Totals());
        Assert.Equal((0, workers * each), (registry.Count, registry.Events.TotalCount));
        Assert.True(registry.WhenEmptyAsync().IsCompleted);
    }

    [Fact]
    public async Task Over_the_limit_nobody_is_let_in()
    {
        using ConnectionRegistry registry = New();
        ProxyConnection?[] opened = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(() => Open(registry, limit: 7)))).Within();
        Assert.Equal((7, 7, 100), (opened.Count(c => c is not null), registry.Count, registry.Accepted));
        registry.End(opened.First(c => c is not null)!, null, refused: false);
        Assert.NotNull(Open(registry, limit: 7));
        Assert.Null(Open(registry, limit: 7));
    }

    [Fact]
    public async Task The_last_to_leave_is_noticed()
    {
        using ConnectionRegistry registry = New();
        ProxyConnection first = Open(registry)!, second = Open(registry)!;
        Task empty = registry.WhenEmptyAsync();
        registry.End(first, null, refused: false);
        Assert.False(empty.IsCompleted);
        registry.End(second, null, refused: false);
        await empty.Within();
    }

    [Fact]
    public void An_end_is_told_as_what_it_was()
    {
        using ConnectionRegistry registry = New();
        var error = new ProxyException(ProxyErrorReason.ConnectionReset, ProxyStage.Relay, "client side");
        ProxyConnection closed = Open(registry)!, failed = Open(registry)!, refused = Open(registry)!;
        _time.Advance(TimeSpan.FromSeconds(5));
        registry.End(closed, null, refused: false);
        registry.End(failed, error, refused: false);
        registry.End(refused, error, refused: true);
        _time.Advance(TimeSpan.FromSeconds(5));

        IReadOnlyList<ProxyEvent> events = registry.Events.ToList();
        Assert.Equal([ProxyEventKind.Closed, ProxyEventKind.Failed, ProxyEventKind.Refused], events.Select(e => e.Kind));
        Assert.Equal(["closed", "client side: connection reset", "client side: connection reset"], events.Select(e => e.Message));
        Assert.Equal([closed, failed, refused], events.Select(e => e.Connection));
        Assert.Equal((ConnectionState.Closed, null), (closed.State, closed.LastError));
        Assert.Equal((ConnectionState.Failed, error), (failed.State, failed.LastError));
        Assert.Equal((TimeSpan.FromSeconds(5), new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero)), (closed.Duration, closed.Started));
        Assert.Empty(registry.ToList());
    }

    [Fact]
    public void An_abort_reaches_both_sides_whenever_they_come()
    {
        using ConnectionRegistry registry = New();
        var client = new Side();
        ProxyConnection connection = registry.TryOpen(new IPEndPoint(IPAddress.Loopback, 1), client, 10)!;
        connection.Abort();
        connection.Abort(ProxyErrorReason.IdleTimeout);
        Side upstream = new(), encrypted = new();
        connection.AttachUpstream(upstream);
        connection.ReplaceClient(encrypted);
        Assert.Equal((1, 1, 1), (client.Aborts, upstream.Aborts, encrypted.Aborts));
        // the first reason is the reason
        Assert.Equal(ProxyErrorReason.Aborted, connection.AbortReason);
    }

    [Fact]
    public void What_has_ended_cannot_be_aborted()
    {
        using ConnectionRegistry registry = New();
        var client = new Side();
        ProxyConnection connection = registry.TryOpen(null, client, 10)!;
        registry.End(connection, null, refused: false);
        connection.Abort();
        Assert.Equal((0, ProxyErrorReason.None, ConnectionState.Closed, "unix"), (client.Aborts, connection.AbortReason, connection.State, connection.Client));
    }

    private ConnectionRegistry New(int eventCapacity = 1000) => new(this, new ServiceIdentity("test", "Test", _time), eventCapacity);

    private static ProxyConnection? Open(ConnectionRegistry registry, int limit = int.MaxValue) =>
        registry.TryOpen(new IPEndPoint(IPAddress.Loopback, 1), new Side(), limit);

    private sealed class Side : IAbortable
    {
        public int Aborts { get; private set; }

        public void Abort() => Aborts++;
    }
}

using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Tests.Fuzzing;

/// <summary>Takes stock before an attack, and holds the service to its promises after it.</summary>
internal sealed class Aftermath : IDisposable
{
    private const int LongestMessage = 400;
    private const long MostGrowth = 24 << 20;

    private readonly ListenerService _service;
    private readonly int _descriptors = Descriptors.Count();
    private readonly long _memory = GC.GetTotalMemory(forceFullCollection: true);
    private readonly List<Exception> _unobserved = [];

    public Aftermath(ListenerService service)
    {
        _service = service;
        TaskScheduler.UnobservedTaskException += OnUnobserved;
    }

    /// <summary>Waits for quiet after so many connections, then looks at what they left.</summary>
    public async Task AssertCleanAsync(int connections)
    {
        await Deadline.Until(() => _service.Counters.Accepted == connections, $"{connections} connections are accepted, {_service.Counters.Accepted} so far");
        await House.QuietAsync(_service);
        IReadOnlyList<ProxyEvent> events = _service.Events.ToList();
        Assert.All(events, AssertReadable);
        Assert.Equal(connections, events.Count(e => e.Kind is ProxyEventKind.Refused or ProxyEventKind.Failed or ProxyEventKind.Closed));
        Assert.Equal(_service.Counters.Refused, events.Count(e => e.Kind == ProxyEventKind.Refused));
        Assert.Equal(_service.Counters.Failed, events.Count(e => e.Kind == ProxyEventKind.Failed));
        Assert.DoesNotContain(events, e => e.Kind == ProxyEventKind.Warning);
        await AssertNothingIsLeftAsync();
    }

    private async Task AssertNothingIsLeftAsync()
    {
        await Deadline.Until(() => Descriptors.Count() <= _descriptors + 40, $"descriptors back to about {_descriptors}, now {Descriptors.Count()}");
        long grown = GC.GetTotalMemory(forceFullCollection: true) - _memory;
        Assert.True(grown < MostGrowth, $"memory grew by {grown:N0} bytes");
        GC.Collect();
        GC.WaitForPendingFinalizers();
        lock (_unobserved) Assert.Empty(_unobserved);
    }

    private static void AssertReadable(ProxyEvent e)
    {
        Assert.InRange(e.Message.Length, 3, LongestMessage);
        Assert.DoesNotContain(e.Message, char.IsControl);
        Assert.DoesNotContain(e.Destination ?? "", char.IsControl);
        Assert.DoesNotContain("internal error", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", e.Message, StringComparison.Ordinal);
        bool isFault = e.Kind is ProxyEventKind.Refused or ProxyEventKind.Failed;
        Assert.Equal(isFault, e.Reason != ProxyErrorReason.None);
    }

    public void Dispose() => TaskScheduler.UnobservedTaskException -= OnUnobserved;

    private void OnUnobserved(object? sender, UnobservedTaskExceptionEventArgs e)
    {
        // the test clients' own sockets may fail unobserved; the engine's tasks may not
        if (!e.Exception.ToString().Contains("ProxyShell.Engine.", StringComparison.Ordinal)) return;
        lock (_unobserved) _unobserved.Add(e.Exception);
    }
}

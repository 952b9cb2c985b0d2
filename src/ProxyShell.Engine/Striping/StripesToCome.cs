using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Striping;

/// <summary>Stands where the stripes will be, on either side.</summary>
internal sealed class StripesToCome : IStreamOpener, IClientServer
{
    public ValueTask<DuplexConnection> OpenAsync(StreamOpening opening, CancellationToken cancellationToken) => throw Missing();

    public Task ServeAsync(ServedConnection served) => throw Missing();

    public ValueTask TurnAwayAsync(DuplexConnection connection) => connection.DisposeAsync();

    private static ProxyException Missing() => new(ProxyErrorReason.Unsupported, ProxyStage.Request, null, "Framing Stripe is not built yet");
}

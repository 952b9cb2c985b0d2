using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Striping;

/// <summary>The near end's way to the far end: over stripes, or over a connection for each stream.</summary>
internal interface IStreamOpener
{
    /// <summary>
    /// Opens a stream to the far end's destination. Over stripes nothing is awaited when one is there: the opening travels ahead of the first bytes, and a destination
    /// that cannot be reached ends the stream with the far end's reason.
    /// </summary>
    ValueTask<DuplexConnection> OpenAsync(StreamOpening opening, CancellationToken cancellationToken);
}

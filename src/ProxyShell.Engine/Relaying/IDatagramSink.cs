using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Relaying;

/// <summary>What a <see cref="DatagramPath"/> tells its owner. It must return soon and not wait for anything.</summary>
internal interface IDatagramSink
{
    /// <summary>A datagram came from the destination; one call at a time, the bytes are valid until it returns.</summary>
    void OnReceived(ReadOnlySpan<byte> payload);

    /// <summary>The path has failed and carries nothing any more; the error names the hop or destination at fault.</summary>
    void OnFailed(ProxyException error);
}

using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;

namespace ProxyShell.Engine.Inbound;

/// <summary>A flow whose client sends its datagrams in a stream; the stream's connection is its record.</summary>
internal sealed class StreamedFlow(ProxyConnection record) : IDatagramSink
{
    private readonly TaskCompletionSource<ProxyException> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile DatagramStream? _stream;

    /// <summary>Completes with the error when the way to the destination has failed.</summary>
    public Task<ProxyException> Failure => _failed.Task;

    /// <summary>Carries datagrams both ways until the client ends; returns the reason that the client gave, if any.</summary>
    public Task RunAsync(DatagramStream stream, DatagramPath path)
    {
        _stream = stream;
        return stream.ReceiveAsync(new FromClient(record, path));
    }

    public void OnReceived(ReadOnlySpan<byte> payload)
    {
        if (_stream?.Send(payload) == true) record.AddReceivedDatagram(payload.Length);
    }

    public void OnFailed(ProxyException error) => _failed.TrySetResult(error);

    private sealed class FromClient(ProxyConnection record, DatagramPath path) : IDatagramSink
    {
        public void OnReceived(ReadOnlySpan<byte> payload)
        {
            if (path.Send(payload)) record.AddSentDatagram(payload.Length);
        }

        public void OnFailed(ProxyException error)
        {
            // the stream's failures are thrown by whoever reads it
        }
    }
}

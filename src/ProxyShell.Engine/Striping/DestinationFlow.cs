using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;

namespace ProxyShell.Engine.Striping;

/// <summary>The datagrams between a near end's stream and the destination; the stream's connection is their record.</summary>
internal sealed class DestinationFlow(ProxyConnection record, MessageStream stream, OversizeLog oversize) : IDatagramSink
{
    private readonly TaskCompletionSource<ProxyException> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes with the error when the way to the destination has failed.</summary>
    public Task<ProxyException> Failure => _failed.Task;

    /// <summary>Carries the near end's datagrams along the path until its stream ends.</summary>
    public Task RunAsync(DatagramPath path) =>
        stream.ReceiveAsync(new FromStream(record, path), path.MaxPayload, length => oversize.Note(length, path.MaxPayload, record));

    public void OnReceived(ReadOnlySpan<byte> payload)
    {
        if (stream.Send(payload)) record.AddReceivedDatagram(payload.Length);
    }

    public void OnFailed(ProxyException error) => _failed.TrySetResult(error);

    private sealed class FromStream(ProxyConnection record, DatagramPath path) : IDatagramSink
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

using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>Datagrams in a stream (docs/protocols/relay.md, "Command 4").</summary>
internal sealed partial class RelayInbound
{
    private async Task CarryDatagramsAsync(ServedConnection served, RelayRequestReading reading)
    {
        if (reading.Request!.Command == RelayCommand.Datagram)
            await RefuseAsync(served, reading, ProxyErrorReason.Unsupported, "the request is one for datagrams, and came in a stream").ConfigureAwait(false);
        else if (!options.Udp)
            await RefuseAsync(served, reading, ProxyErrorReason.Unsupported, "UDP is not switched on here").ConfigureAwait(false);
        else
            await CarryDatagramsAsync(served, reading.Request, reading).ConfigureAwait(false);
    }

    private async Task CarryDatagramsAsync(ServedConnection served, RelayRequest request, RelayRequestReading reading)
    {
        long start = Context.Time.GetTimestamp();
        var flow = new StreamedFlow(served.Record);
        DatagramPath path = await OpenAsync(served, request, reading, flow).ConfigureAwait(false);
        try
        {
            served.Record.AttachUpstream(path);
            var response = new RelayResponse { Nonce = request.Nonce, Salt = RelayResponseCodec.NewSalt(), Reason = ProxyErrorReason.None, ConnectTime = Context.Time.GetElapsedTime(start) };
            await SendAsync(served.Client, response, reading.Key, served.Clock.Token).ConfigureAwait(false);
            served.EndSetUp();
            Context.NoteOpen(served);
            DuplexConnection client = PayloadOf(served, request, response);
            await CarryAsync(served, request, flow, new DatagramStream(client), path).ConfigureAwait(false);
        }
        finally
        {
            path.Abort();
        }
    }

    private async ValueTask<DatagramPath> OpenAsync(ServedConnection served, RelayRequest request, RelayRequestReading reading, StreamedFlow flow)
    {
        ProxyConnection record = served.Record;
        (record.Protocol, record.Destination, record.State, record.IdleLimit) = ("udp", request.Next!.ToString(), ConnectionState.Connecting, RelayDatagramPort.IdleLimit(Context.Options));
        served.Clock.Allow(Context.Options.ConnectTimeout);
        try
        {
            return await Context.Outbound.OpenDatagramsAsync(record, request.Next.Endpoint!, flow, null, served.Clock.Allowed, served.Clock.Token).ConfigureAwait(false);
        }
        catch (ProxyException e) when (record.AbortReason == ProxyErrorReason.None)
        {
            served.WasRefused = e is { Stage: ProxyStage.Policy, HopNumber: null };
            await TellAsync(served, RelayAnswers.Explain(request, e, record.Chain, Context.Options.ConnectTimeout), reading.Key).ConfigureAwait(false);
            throw;
        }
    }

    private async Task CarryAsync(ServedConnection served, RelayRequest request, StreamedFlow flow, DatagramStream stream, DatagramPath path)
    {
        Task receiving = flow.RunAsync(stream, path);
        bool hasFailed = await Task.WhenAny(receiving, flow.Failure).ConfigureAwait(false) == flow.Failure;
        using var limit = new CancellationTokenSource(Context.Options.HandshakeTimeout, Context.Time);
        if (!hasFailed)
        {
            await EndOfClientAsync(receiving).ConfigureAwait(false);
            await stream.EndAsync(default, limit.Token).ConfigureAwait(false);
            return;
        }
        ProxyException failure = await flow.Failure.ConfigureAwait(false);
        try
        {
            await stream.EndAsync(Reason(served, request, failure), limit.Token).ConfigureAwait(false);
            served.WasTold = true;
            // the client ends when it has read the reason; until then its datagrams are lost
            await receiving.WaitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ProxyException or OperationCanceledException)
        {
            served.Client.Abort();
            await receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        throw failure;
    }

    private static async Task EndOfClientAsync(Task receiving)
    {
        try
        {
            await receiving.ConfigureAwait(false);
        }
        catch (ProxyException e)
        {
            throw RelayFailure.On(ProxySide.Client, e);
        }
    }

    private byte[] Reason(ServedConnection served, RelayRequest request, ProxyException failure) => RelayDatagramPort.Write(
        RelayAnswers.Explain(request, failure, served.Record.Chain, Context.Options.ConnectTimeout) with { Nonce = UInt128.Zero, Salt = UInt128.Zero }, key: null);
}

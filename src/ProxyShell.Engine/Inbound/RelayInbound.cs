using System.Buffers;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Chains.Pool;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>Serves relay headers (docs/protocols/relay.md): connects to the address that the header names, or echoes for a probe.</summary>
internal sealed partial class RelayInbound(InboundContext context, RelayInboundOptions options) : InboundProtocol(context)
{
    private const int MaxEchoBytes = 64 * 1024;

    private readonly RelayGate _gate = new(options);

    public override string Name => "relay";

    public override bool Begins(byte first) => first == RelayFrame.FirstByte;

    public override async Task ServeAsync(ServedConnection served, HeaderReader reader)
    {
        RelayRequestReading reading = await ReadRequestAsync(served, reader).ConfigureAwait(false);
        reader.Dispose();
        if (reading.Request is null)
            await RefuseAsync(served, reading, reading.Reason, reading.Message).ConfigureAwait(false);
        else if (reading.Request.Command is RelayCommand.Datagram or RelayCommand.DatagramStream)
            await CarryDatagramsAsync(served, reading).ConfigureAwait(false);
        else if (reading.Request.Command == RelayCommand.Session)
            await ServeSessionAsync(served, reading).ConfigureAwait(false);
        else if (reading.Request.Command == RelayCommand.Probe)
            await EchoAsync(served, reading).ConfigureAwait(false);
        else
            await ConnectAsync(served, reading.Request, reading.Key).ConfigureAwait(false);
    }

    public override ReadOnlyMemory<byte> TooMany(byte first)
    {
        var buffer = new byte[RelayResponseCodec.MaxWrittenLength];
        var response = new RelayResponse { Nonce = UInt128.Zero, Salt = UInt128.Zero, Reason = ProxyErrorReason.LimitExceeded, Stage = ProxyStage.Request };
        return buffer.AsMemory(0, RelayResponseCodec.Write(buffer, response, key: null));
    }

    private async ValueTask<RelayRequestReading> ReadRequestAsync(ServedConnection served, HeaderReader reader)
    {
        while (true)
        {
            switch (RelayRequestCodec.Measure(reader.Bytes, out int length, out string fault))
            {
                case HeaderStatus.Complete:
                    RelayRequestReading reading = _gate.Read(reader.Bytes[..length]);
                    reader.Consume(length);
                    return reading;
                case HeaderStatus.Invalid:
                    return new RelayRequestReading(null, ProxyErrorReason.ProtocolError, fault, UInt128.Zero, null);
            }
            await InboundContext.ReadMoreAsync(served, reader, "a request header").ConfigureAwait(false);
        }
    }

    private async Task RefuseAsync(ServedConnection served, RelayRequestReading reading, ProxyErrorReason reason, string message)
    {
        await TellAsync(served, RelayAnswers.Refuse(reading.Nonce, reason, message), reading.Key).ConfigureAwait(false);
        throw InboundContext.Refused(served, reason, message);
    }

    private async Task ConnectAsync(ServedConnection served, RelayRequest request, ProxyKey? key)
    {
        long start = Context.Time.GetTimestamp();
        DuplexConnection upstream = await DialAsync(served, request, key).ConfigureAwait(false);
        await using (upstream.ConfigureAwait(false))
        {
            var response = new RelayResponse
            {
                Nonce = request.Nonce,
                Salt = RelayResponseCodec.NewSalt(),
                Reason = ProxyErrorReason.None,
                ConnectTime = Context.Time.GetElapsedTime(start),
                Link = LinkOf(upstream),
            };
            await SendAsync(served.Client, response, key, served.Clock.Token).ConfigureAwait(false);
            await Context.RelayAsync(served, PayloadOf(served, request, response), upstream).ConfigureAwait(false);
        }
    }

    private static RelayLink LinkOf(DuplexConnection upstream) =>
        upstream is not PooledChannel channel ? RelayLink.Connection : channel.IsReused ? RelayLink.KeptSession : RelayLink.NewSession;

    private DuplexConnection PayloadOf(ServedConnection served, RelayRequest request, RelayResponse response)
    {
        if (_gate.PayloadKeyOf(request) is not { } key) return served.Client;
        var connection = new SealedConnection(served.Client, RecordCipher.FromHop(key, request.Nonce, request.Timestamp, response.Salt));
        connection.ReceiveWith(RecordCipher.FromClient(key, request.Nonce, request.Timestamp));
        return connection;
    }

    private async ValueTask<DuplexConnection> DialAsync(ServedConnection served, RelayRequest request, ProxyKey? key)
    {
        try
        {
            return await Context.ConnectAsync(served, Name, new FlightTarget(request.Next, request.Trust, request.ServerName)).ConfigureAwait(false);
        }
        catch (ProxyException e) when (served.Record.AbortReason == ProxyErrorReason.None)
        {
            await TellAsync(served, RelayAnswers.Explain(request, e, served.Record.Chain, Context.Options.ConnectTimeout), key).ConfigureAwait(false);
            throw;
        }
    }

    private async Task EchoAsync(ServedConnection served, RelayRequestReading reading)
    {
        (served.Record.Protocol, served.Record.Destination) = ("relay", "probe");
        await SendAsync(served.Client, new RelayResponse { Nonce = reading.Nonce, Salt = RelayResponseCodec.NewSalt(), Reason = ProxyErrorReason.None }, reading.Key, served.Clock.Token).ConfigureAwait(false);
        served.Clock.Allow(Context.Options.ConnectTimeout);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(1024);
        try
        {
            for (int echoed = 0; echoed < MaxEchoBytes;)
            {
                int count = await served.Client.ReadAsync(buffer, served.Clock.Token).ConfigureAwait(false);
                if (count == 0) return;
                await served.Client.WriteAsync(buffer.AsMemory(0, count), served.Clock.Token).ConfigureAwait(false);
                served.Record.AddReceived(count);
                echoed += count;
            }
        }
        catch (OperationCanceledException)
        {
            // a probe that was forgotten: its time is over
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task TellAsync(ServedConnection served, RelayResponse response, ProxyKey? key)
    {
        var buffer = new byte[RelayResponseCodec.MaxWrittenLength];
        await Context.TellAsync(served, buffer.AsMemory(0, RelayResponseCodec.Write(buffer, response, key))).ConfigureAwait(false);
    }

    private static async ValueTask SendAsync(DuplexConnection client, RelayResponse response, ProxyKey? key, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(RelayResponseCodec.MaxWrittenLength);
        try
        {
            int length = RelayResponseCodec.Write(buffer, response, key);
            await client.WriteAsync(buffer.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

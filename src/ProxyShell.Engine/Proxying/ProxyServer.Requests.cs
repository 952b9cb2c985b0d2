using System.Buffers;
using System.Globalization;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Proxying;

/// <summary>Reading, answering and carrying out relay requests.</summary>
public sealed partial class ProxyServer
{
    private const int MaxEchoBytes = 64 * 1024;

    private async ValueTask<RelayRequestReading> ReadRequestAsync(ServedConnection served)
    {
        using var reader = new HeaderReader(served.Client, RelayFrame.MaxLength);
        while (true)
        {
            switch (RelayRequestCodec.Measure(reader.Bytes, out int length, out string fault))
            {
                case HeaderStatus.Complete:
                    RelayRequestReading reading = CheckFreshness(RelayRequestCodec.Read(reader.Bytes[..length], _options.Keys));
                    reader.Consume(length);
                    return reading;
                case HeaderStatus.Invalid:
                    return new RelayRequestReading(null, ProxyErrorReason.ProtocolError, fault, UInt128.Zero, null);
            }
            if (await TryReadMoreAsync(served, reader).ConfigureAwait(false)) continue;
            served.WasRefused = true;
            string what = reader.Bytes.IsEmpty ? "closed the connection without a request" : "closed the connection within its request header";
            throw new ProxyException(ProxyErrorReason.ConnectionClosed, ProxyStage.Request, "client", what) { Side = ProxySide.Client };
        }
    }

    private static async ValueTask<bool> TryReadMoreAsync(ServedConnection served, HeaderReader reader)
    {
        try
        {
            return await reader.ReadMoreAsync(served.Clock.Token).ConfigureAwait(false);
        }
        catch (ProxyException e)
        {
            served.WasRefused = true;
            throw new ProxyException(e.Reason, ProxyStage.Request, "client", $"{e.Detail} instead of a request", e) { Side = ProxySide.Client };
        }
    }

    private RelayRequestReading CheckFreshness(RelayRequestReading reading)
    {
        if (reading.Request is null || (reading.Key is null && reading.Request.PayloadKeyId.Length == 0)) return reading;
        ProxyErrorReason reason = _replays.Check(reading.Nonce, reading.Request.Timestamp, out TimeSpan difference);
        if (reason == ProxyErrorReason.None) return reading;
        string message = reason == ProxyErrorReason.ClockSkew
            ? string.Create(CultureInfo.InvariantCulture, $"the client's clock is {Math.Abs(difference.TotalSeconds):0.0} s {(difference < TimeSpan.Zero ? "behind" : "ahead")}; at most {_options.ClockWindow.TotalSeconds:0.###} s are accepted")
            : ProxyErrorText.Describe(reason);
        return reading with { Request = null, Reason = reason, Message = message };
    }

    private async Task RefuseAsync(ServedConnection served, RelayRequestReading reading, ProxyErrorReason reason, string message)
    {
        served.WasRefused = true;
        await TellAsync(served, new RelayResponse { Nonce = reading.Nonce, Salt = RelayResponseCodec.NewSalt(), Reason = reason, Stage = ProxyStage.Request, Message = message }, reading.Key).ConfigureAwait(false);
        throw new ProxyException(reason, ProxyStage.Request, "client", message) { Side = ProxySide.Client };
    }

    private async Task ConnectAsync(ServedConnection served, RelayRequest request, ProxyKey? key)
    {
        ProxyConnection record = served.Record;
        (record.Protocol, record.Destination, record.Chain, record.State) = ("relay", request.Next!.ToString(), _options.Chain.ToString(), ConnectionState.Connecting);
        served.Clock.Allow(_options.ConnectTimeout);
        long start = _options.TimeProvider.GetTimestamp();
        DuplexConnection upstream = await DialAsync(served, request, key).ConfigureAwait(false);
        await using (upstream.ConfigureAwait(false))
        {
            record.AttachUpstream(upstream);
            var response = new RelayResponse
            {
                Nonce = request.Nonce,
                Salt = RelayResponseCodec.NewSalt(),
                Reason = ProxyErrorReason.None,
                ConnectTime = _options.TimeProvider.GetElapsedTime(start),
            };
            await SendAsync(served.Client, response, key, served.Clock.Token).ConfigureAwait(false);
            served.EndSetUp();
            record.State = ConnectionState.Open;
            Registry.Write(ProxyEventKind.Opened, "opened", connection: record);
            if (await Relay.RunAsync(PayloadOf(served, request, response), upstream, record).ConfigureAwait(false) is { } failure) throw failure;
        }
    }

    private DuplexConnection PayloadOf(ServedConnection served, RelayRequest request, RelayResponse response)
    {
        if (PayloadKeyOf(request) is not { } key) return served.Client;
        var connection = new SealedConnection(served.Client, RecordCipher.FromHop(key, request.Nonce, request.Timestamp, response.Salt));
        connection.ReceiveWith(RecordCipher.FromClient(key, request.Nonce, request.Timestamp));
        return connection;
    }

    private ProxyKey? PayloadKeyOf(RelayRequest request) =>
        _options.PayloadKeys.Concat(_options.Keys).FirstOrDefault(key => key.Id == request.PayloadKeyId);

    private async ValueTask<DuplexConnection> DialAsync(ServedConnection served, RelayRequest request, ProxyKey? key)
    {
        try
        {
            return await _connector.ConnectAsync(
                _options.Chain, request.Next!, _policy, request.Trust, request.ServerName, early: null, served.Clock.Token).ConfigureAwait(false);
        }
        catch (ProxyException e) when (served.Record.AbortReason == ProxyErrorReason.None)
        {
            served.WasRefused = e.Stage == ProxyStage.Policy;
            await TellAsync(served, Explain(request, e), key).ConfigureAwait(false);
            throw;
        }
    }

    private RelayResponse Explain(RelayRequest request, ProxyException e)
    {
        // reasons from 128 on are this machine's own affair
        ProxyErrorReason reason = e.Reason <= ProxyErrorReason.Other ? e.Reason : ProxyErrorReason.Other;
        string message = e.Reason switch
        {
            ProxyErrorReason.TimedOut when e.Stage == ProxyStage.Dial => string.Create(CultureInfo.InvariantCulture, $"no connection within {_options.ConnectTimeout.TotalSeconds:0.###} s"),
            ProxyErrorReason.Forbidden => $"{request.Next} is forbidden by its policy",
            _ => _options.Chain.Count > 0 ? e.Message : e.Detail,
        };
        ProxyStage stage = e.Stage is ProxyStage.Request ? ProxyStage.Dial : e.Stage;
        return new RelayResponse { Nonce = request.Nonce, Salt = RelayResponseCodec.NewSalt(), Reason = reason, Stage = stage, Message = message };
    }

    private async Task EchoAsync(ServedConnection served, RelayRequestReading reading)
    {
        (served.Record.Protocol, served.Record.Destination) = ("relay", "probe");
        await SendAsync(served.Client, new RelayResponse { Nonce = reading.Nonce, Salt = RelayResponseCodec.NewSalt(), Reason = ProxyErrorReason.None }, reading.Key, served.Clock.Token).ConfigureAwait(false);
        served.Clock.Allow(_options.ConnectTimeout);
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

    // an answer that cannot be delivered changes nothing: the failure itself is on record
    private async Task TellAsync(ServedConnection served, RelayResponse response, ProxyKey? key)
    {
        try
        {
            using var limit = new CancellationTokenSource(_options.HandshakeTimeout, _options.TimeProvider);
            await SendAsync(served.Client, response, key, limit.Token).ConfigureAwait(false);
            served.WasTold = true;
            await LingeringClose.RunAsync(served.Client, _options.TimeProvider).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ProxyException or OperationCanceledException)
        {
            served.Client.Abort();
        }
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

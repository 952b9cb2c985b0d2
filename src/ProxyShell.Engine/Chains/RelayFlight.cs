using System.Buffers;
using System.Security.Cryptography;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>
/// The set-up of relay hops over a connection to the first of them: all request headers leave in one write, then the answers
/// come back in order, one per hop. A destination of null makes the last hop a probe.
/// </summary>
internal sealed class RelayFlight(DuplexConnection connection, ProxyChain chain, TransportAddress? destination, TimeProvider time)
{
    // front, key id, nonce, timestamp, command, the longest address and both options, tag
    private const int MaxRequestLength = 640;

    private readonly IReadOnlyList<ProxyHop> _hops = chain.Hops;
    private readonly UInt128[] _nonces = MakeNonces(chain.Count);
    private readonly DateTimeOffset _timestamp = time.GetUtcNow();
    private SealedConnection? _sealed;

    /// <summary>The number of the hop whose answer is awaited, counted from 1.</summary>
    public int Awaited { get; private set; } = 1;

    /// <summary>What carries the payload: the connection itself, or records on it when the chain has a payload key.</summary>
    public DuplexConnection Payload => chain.PayloadKey is not { } key
        ? connection
        : _sealed ??= new SealedConnection(connection, RecordCipher.FromClient(key, _nonces[^1], _timestamp));

    /// <summary>Writes all headers at once.</summary>
    public async ValueTask SendAsync(CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(_hops.Count * MaxRequestLength);
        try
        {
            int length = 0;
            for (int i = 0; i < _hops.Count; i++) length += RelayRequestCodec.Write(buffer.AsSpan(length), Request(i), _hops[i].Key);
            await connection.WriteAsync(buffer.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads the answers; the first refusal is thrown and names the hop at fault.</summary>
    public async ValueTask<RelayResponse[]> ReadAnswersAsync(CancellationToken cancellationToken)
    {
        var answers = new RelayResponse[_hops.Count];
        using var reader = new HeaderReader(connection, RelayFrame.MaxLength);
        for (int i = 0; i < _hops.Count; i++)
        {
            Awaited = i + 1;
            int length = await ReadHeaderAsync(reader, cancellationToken).ConfigureAwait(false);
            answers[i] = RelayResponseCodec.Read(reader.Bytes[..length], _nonces[i], _hops[i].Key, out string fault) ?? throw Broken(ProxyErrorReason.ProtocolError, fault);
            reader.Consume(length);
            if (answers[i].Reason != ProxyErrorReason.None) throw Refusal(i, answers[i]);
        }
        if (chain.PayloadKey is { } payloadKey && destination is not null)
        {
            ((SealedConnection)Payload).ReceiveWith(RecordCipher.FromHop(payloadKey, _nonces[^1], _timestamp, answers[^1].Salt));
        }
        return answers;
    }

    private async ValueTask<int> ReadHeaderAsync(HeaderReader reader, CancellationToken cancellationToken)
    {
        while (true)
        {
            switch (RelayResponseCodec.Measure(reader.Bytes, out int length, out string fault))
            {
                case HeaderStatus.Complete: return length;
                case HeaderStatus.Invalid: throw Broken(ProxyErrorReason.ProtocolError, "its answer is not one of a relay proxy server: " + fault);
            }
            try
            {
                if (await reader.ReadMoreAsync(cancellationToken).ConfigureAwait(false)) continue;
            }
            catch (ProxyException e)
            {
                throw Broken(e.Reason, $"{e.Detail} instead of an answer", e);
            }
            throw Broken(ProxyErrorReason.ConnectionClosed, "closed the connection without an answer");
        }
    }

    private RelayRequest Request(int index)
    {
        ProxyHop? next = index + 1 < _hops.Count ? _hops[index + 1] : null;
        return new RelayRequest
        {
            Command = next is null && destination is null ? RelayCommand.Probe : RelayCommand.Connect,
            Nonce = _nonces[index],
            Timestamp = _timestamp,
            Next = next?.Address ?? destination,
            Trust = next?.Trust ?? TlsTrust.System,
            ServerName = next?.ServerName,
            PayloadKeyId = next is null && destination is not null ? chain.PayloadKey?.Id ?? "" : "",
        };
    }

    private ProxyException Broken(ProxyErrorReason reason, string detail, Exception? inner = null) =>
        new(reason, ProxyStage.Request, HopNaming.Hop(Awaited, _hops[Awaited - 1]), detail, inner) { HopNumber = Awaited };

    // A hop that refuses is at fault itself; one that could not reach the next address speaks of that.
    private ProxyException Refusal(int index, RelayResponse answer)
    {
        string detail = answer.Message.Length > 0 ? answer.Message : ProxyErrorText.Describe(answer.Reason);
        bool ownRefusal = answer.Stage is ProxyStage.None or ProxyStage.Request or ProxyStage.Policy;
        int fault = ownRefusal ? index : index + 1;
        if (fault < _hops.Count)
            return new ProxyException(answer.Reason, answer.Stage, HopNaming.Hop(fault + 1, _hops[fault]), detail) { HopNumber = fault + 1 };
        string teller = $"{detail}, told by {HopNaming.Hop(index + 1, _hops[index])}";
        return new ProxyException(answer.Reason, answer.Stage, HopNaming.Destination(destination!), teller);
    }

    private static UInt128[] MakeNonces(int count)
    {
        var nonces = new UInt128[count];
        RandomNumberGenerator.Fill(System.Runtime.InteropServices.MemoryMarshal.AsBytes(nonces.AsSpan()));
        return nonces;
    }
}

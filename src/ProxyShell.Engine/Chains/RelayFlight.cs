using System.Buffers;
using System.Security.Cryptography;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>
/// The set-up of the relay hops of a path from one index up to, not including, another, over a connection to
/// the first of them: all request headers leave in one write, then the answers come back in order, one per hop.
/// Without a target the last of them is a probe, or begins a session.
/// </summary>
internal sealed class RelayFlight
{
    // front, key id, nonce, timestamp, command, the longest address and both options, tag
    private const int MaxRequestLength = 640;

    private readonly DuplexConnection _connection;
    private readonly ChainPath _path;
    private readonly FlightTarget _target;
    private readonly int _first;
    private readonly UInt128[] _nonces;
    private readonly DateTimeOffset _timestamp;
    private readonly ProxyKey? _payloadKey;
    private SealedConnection? _sealed;

    public RelayFlight(DuplexConnection connection, ChainPath path, int first, int end, FlightTarget target, TimeProvider time)
    {
        (_connection, _path, _first, _target, Awaited) = (connection, path, first, target, first);
        _nonces = MakeNonces(end - first);
        _timestamp = time.GetUtcNow();
        if (end == path.Hops.Count && target.Address is not null) _payloadKey = path.PayloadKey;
    }

    /// <summary>The index in the path of the hop whose answer is awaited, once they are awaited.</summary>
    public int Awaited { get; private set; }

    /// <summary>What carries the payload: the connection itself, or records on it when the path has a payload key and ends here.</summary>
    public DuplexConnection Payload => _payloadKey is not { } key
        ? _connection
        : _sealed ??= new SealedConnection(_connection, RecordCipher.FromClient(key, _nonces[^1], _timestamp));

    /// <summary>Writes all headers at once.</summary>
    public async ValueTask SendAsync(CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(_nonces.Length * MaxRequestLength);
        try
        {
            int length = 0;
            for (int i = 0; i < _nonces.Length; i++) length += RelayRequestCodec.Write(buffer.AsSpan(length), Request(i), _path.Hops[_first + i].Key);
            await _connection.WriteAsync(buffer.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
        }
        catch (ProxyException e) when (e.HopNumber is null)
        {
            throw Unanswered(e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads the answers; the first refusal is thrown and names the hop at fault.</summary>
    public async ValueTask<RelayResponse[]> ReadAnswersAsync(CancellationToken cancellationToken)
    {
        var answers = new RelayResponse[_nonces.Length];
        using var reader = new HeaderReader(_connection, RelayFrame.MaxLength);
        for (int i = 0; i < _nonces.Length; i++)
        {
            Awaited = _first + i;
            int length = await ReadHeaderAsync(reader, cancellationToken).ConfigureAwait(false);
            answers[i] = RelayResponseCodec.Read(reader.Bytes[..length], _nonces[i], _path.Hops[Awaited].Key, out string fault) ?? throw Broken(ProxyErrorReason.ProtocolError, fault);
            reader.Consume(length);
            if (answers[i].Reason != ProxyErrorReason.None) throw Refusal(answers[i]);
        }
        if (_payloadKey is { } key) ((SealedConnection)Payload).ReceiveWith(RecordCipher.FromHop(key, _nonces[^1], _timestamp, answers[^1].Salt));
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
            catch (ProxyException e) when (e.HopNumber is null)
            {
                throw Unanswered(e);
            }
            throw Broken(ProxyErrorReason.ConnectionClosed, "closed the connection without an answer");
        }
    }

    private RelayRequest Request(int index)
    {
        ProxyHop? next = index + 1 < _nonces.Length ? _path.Hops[_first + index + 1] : null;
        FlightTarget to = next is null ? _target : new FlightTarget(next.Address, next.Trust, next.ServerName);
        return new RelayRequest
        {
            Command = CommandFor(to),
            Nonce = _nonces[index],
            Timestamp = _timestamp,
            Next = to.Address,
            Trust = to.Trust,
            ServerName = to.ServerName,
            PayloadKeyId = next is null ? _payloadKey?.Id ?? "" : "",
        };
    }

    private static RelayCommand CommandFor(FlightTarget to) => to.Address?.Kind switch
    {
        null => to.IsSession ? RelayCommand.Session : RelayCommand.Probe,
        TransportKind.Udp => RelayCommand.DatagramStream,
        _ => RelayCommand.Connect,
    };

    private ProxyException Broken(ProxyErrorReason reason, string detail, Exception? inner = null) =>
        _path.Fault(Awaited, reason, ProxyStage.Request, detail, inner);

    private ProxyException Unanswered(ProxyException broken) => Broken(broken.Reason, $"{broken.Detail} instead of an answer", broken);

    private ProxyException Refusal(RelayResponse answer) => _path.Refusal(
        Awaited, answer.Reason, answer.Stage, answer.Message.Length > 0 ? answer.Message : ProxyErrorText.Describe(answer.Reason), _target.Address);

    private static UInt128[] MakeNonces(int count)
    {
        var nonces = new UInt128[count];
        RandomNumberGenerator.Fill(System.Runtime.InteropServices.MemoryMarshal.AsBytes(nonces.AsSpan()));
        return nonces;
    }
}

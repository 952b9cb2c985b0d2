using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Chains;

/// <summary>
/// What stands before the datagrams of one flow through relay hops: on their way there the requests to all hops, the same bytes each
/// time; on their way back the answers of all hops, which are checked once and recognised from then on (docs/protocols/relay.md, "Datagrams").
/// </summary>
internal sealed class DatagramFlight
{
    // a request with the longest address, sealed
    private const int MaxRequestLength = 512;

    private readonly ChainPath _path;
    private readonly TransportAddress _target;
    private readonly UInt128[] _nonces;
    private readonly DateTimeOffset _timestamp;
    private readonly DatagramCipher? _outgoing;
    private DatagramCipher? _incoming;
    private UInt128 _lastSalt;
    private byte[] _answers = [];

    public DatagramFlight(ChainPath path, TransportAddress target, TimeProvider time)
    {
        (_path, _target, _timestamp) = (path, target, time.GetUtcNow());
        _nonces = new UInt128[path.Hops.Count];
        RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(_nonces.AsSpan()));
        Requests = WriteRequests();
        if (path.PayloadKey is { } key) _outgoing = DatagramCipher.FromClient(key, _nonces[^1], _timestamp);
    }

    /// <summary>The requests, in the order of the hops.</summary>
    public byte[] Requests { get; }

    /// <summary>Whether all hops have answered.</summary>
    public bool IsEstablished => _answers.Length > 0;

    /// <summary>How many bytes are added to each datagram on its way there.</summary>
    public int Overhead => Requests.Length + (_outgoing is null ? 0 : DatagramCipher.Overhead);

    /// <summary>What follows the requests: the payload, sealed when the path has a payload key; valid until the next call in this thread.</summary>
    public ReadOnlySpan<byte> Seal(ReadOnlySpan<byte> payload)
    {
        if (_outgoing is null) return payload;
        byte[] scratch = DatagramScratch.Sealing;
        return scratch.AsSpan(0, Math.Max(_outgoing.Seal(payload, scratch), 0));
    }

    /// <summary>
    /// Takes the answers off a datagram that came back. The payload is valid until the next call in this thread; a refusal names
    /// the hop or destination at fault.
    /// </summary>
    public DatagramArrival Take(ReadOnlySpan<byte> datagram, out ReadOnlySpan<byte> payload, out ProxyException? refusal)
    {
        payload = default;
        refusal = null;
        if (!IsEstablished || !datagram.StartsWith(_answers))
        {
            DatagramArrival arrival = ReadAnswers(datagram, out refusal);
            if (arrival != DatagramArrival.Payload) return arrival;
        }
        payload = datagram[_answers.Length..];
        return _incoming is null || TryOpen(ref payload) ? DatagramArrival.Payload : DatagramArrival.Foreign;
    }

    /// <summary>It seals and opens nothing any more.</summary>
    public void Close()
    {
        _outgoing?.Dispose();
        _incoming?.Dispose();
    }

    private bool TryOpen(ref ReadOnlySpan<byte> payload)
    {
        byte[] scratch = DatagramScratch.Opening;
        int length = _incoming!.TryOpen(payload, scratch);
        payload = scratch.AsSpan(0, Math.Max(length, 0));
        return length >= 0;
    }

    private DatagramArrival ReadAnswers(ReadOnlySpan<byte> datagram, out ProxyException? refusal)
    {
        refusal = null;
        int total = 0;
        UInt128 lastSalt = default;
        for (int i = 0; i < _nonces.Length; i++)
        {
            ReadOnlySpan<byte> rest = datagram[total..];
            if (RelayResponseCodec.Measure(rest, out int length, out _) != HeaderStatus.Complete) return DatagramArrival.Foreign;
            RelayResponse? answer = RelayResponseCodec.Read(rest[..length], _nonces[i], _path.Hops[i].Key, out _);
            // only who has seen the request knows its nonce
            if (answer is null || answer.Nonce != _nonces[i]) return DatagramArrival.Foreign;
            if (answer.Reason != ProxyErrorReason.None)
            {
                refusal = Refusal(i, answer);
                bool isForgotten = IsEstablished && (answer.Reason is ProxyErrorReason.Replayed or ProxyErrorReason.ClockSkew);
                return isForgotten ? DatagramArrival.Forgotten : DatagramArrival.Refused;
            }
            total += length;
            lastSalt = answer.Salt;
        }
        return Accept(datagram[..total], lastSalt) ? DatagramArrival.Payload : DatagramArrival.Forgotten;
    }

    // With a payload key the keys of the way back hang on the last answer: another one than before would open what came before once more.
    private bool Accept(ReadOnlySpan<byte> answers, UInt128 lastSalt)
    {
        if (IsEstablished && _incoming is not null && lastSalt != _lastSalt) return false;
        if (_path.PayloadKey is { } key) _incoming ??= DatagramCipher.FromHop(key, _nonces[^1], _timestamp, lastSalt);
        _lastSalt = lastSalt;
        _answers = answers.ToArray();
        return true;
    }

    private ProxyException Refusal(int index, RelayResponse answer) => _path.Refusal(
        index, answer.Reason, answer.Stage, answer.Message.Length > 0 ? answer.Message : ProxyErrorText.Describe(answer.Reason), _target);

    private byte[] WriteRequests()
    {
        var buffer = new byte[_nonces.Length * MaxRequestLength];
        int length = 0;
        for (int i = 0; i < _nonces.Length; i++)
        {
            bool isLast = i == _nonces.Length - 1;
            var request = new RelayRequest
            {
                Command = RelayCommand.Datagram,
                Nonce = _nonces[i],
                Timestamp = _timestamp,
                Next = isLast ? _target : TransportAddress.Udp(_path.Hops[i + 1].Address.Endpoint!),
                PayloadKeyId = isLast ? _path.PayloadKey?.Id ?? "" : "",
            };
            length += RelayRequestCodec.Write(buffer.AsSpan(length), request, _path.Hops[i].Key);
        }
        return buffer[..length];
    }
}

using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>
/// A flow of relayed datagrams at a hop: what follows the request in each datagram goes on, what comes back gets the hop's answer before it.
/// Both are the same bytes each time, so that a datagram costs no cryptography here (docs/protocols/relay.md, "Datagrams").
/// </summary>
internal sealed class RelayedFlow : ServedFlow
{
    private readonly RelayDatagramPort _port;
    private readonly RelayRequestReading _reading;
    private readonly byte[] _header;
    private readonly byte[] _answer;
    private readonly DatagramCipher? _incoming;
    private readonly DatagramCipher? _outgoing;

    public RelayedFlow(
        RelayDatagramPort port, ConnectionRegistry registry, DatagramSocket socket, RelayFlowKey key, RelayRequestReading reading, ReadOnlySpan<byte> header, ProxyKey? payloadKey)
        : base(registry, socket, key.Client)
    {
        (_port, _reading, _header, Key) = (port, reading, header.ToArray(), key);
        var answer = new RelayResponse { Nonce = key.Nonce, Salt = RelayResponseCodec.NewSalt(), Reason = ProxyErrorReason.None };
        _answer = RelayDatagramPort.Write(answer, reading.Key);
        if (payloadKey is null) return;
        _incoming = DatagramCipher.FromClient(payloadKey, key.Nonce, Request.Timestamp);
        _outgoing = DatagramCipher.FromHop(payloadKey, key.Nonce, Request.Timestamp, answer.Salt);
    }

    public RelayFlowKey Key { get; }

    public RelayRequest Request => _reading.Request!;

    /// <summary>Takes a datagram that belongs to this flow by client and nonce; dropped unless its request is the one that was checked.</summary>
    public void Take(ReadOnlySpan<byte> datagram)
    {
        if (!datagram.StartsWith(_header)) return;
        ReadOnlySpan<byte> payload = datagram[_header.Length..];
        if (_incoming is null)
        {
            Send(payload);
            return;
        }
        byte[] scratch = DatagramScratch.Opening;
        int length = _incoming.TryOpen(payload, scratch);
        if (length >= 0) Send(scratch.AsSpan(0, length));
    }

    protected override int MaxReply => Socket.MaxPayload - _answer.Length - (_outgoing is null ? 0 : DatagramCipher.Overhead);

    protected override bool Deliver(ReadOnlySpan<byte> payload)
    {
        if (_outgoing is null) return Socket.SendTo(Client, _answer, payload);
        if (payload.Length > MaxReply) return false;
        byte[] scratch = DatagramScratch.Sealing;
        int length = _outgoing.Seal(payload, scratch);
        return length >= 0 && Socket.SendTo(Client, _answer, scratch.AsSpan(0, length));
    }

    protected override void OnEnded(ProxyException? error)
    {
        _port.Forget(this);
        _incoming?.Dispose();
        _outgoing?.Dispose();
        if (error is not null) _port.Answer(Client, Explain(error), _reading.Key);
        base.OnEnded(error);
    }

    private RelayResponse Explain(ProxyException error) => error.Stage == ProxyStage.Relay
        ? RelayAnswers.Refuse(Key.Nonce, RelayAnswers.Told(error.Reason), error.Detail)
        : _port.Explain(Request, error, Record.Chain);
}

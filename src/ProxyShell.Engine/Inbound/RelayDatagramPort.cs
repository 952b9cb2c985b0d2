using System.Collections.Concurrent;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>
/// Serves relay requests that come in datagrams (docs/protocols/relay.md, "Datagrams"). The first datagram of a flow is checked as
/// the request of a connection is; those after it need only be the same in their request.
/// </summary>
internal sealed class RelayDatagramPort(TimeProvider time) : DatagramPort
{
    // so many refusals a second are answered; who sends more of what is refused is no client
    private const int MaxRefusalsPerSecond = 1000;

    private readonly ConcurrentDictionary<RelayFlowKey, RelayedFlow> _flows = new();
    private readonly SecondsCounter _refusals = new(time);
    private readonly SecondsCounter _notes = new(time);
    private volatile Rules? _rules;
    private RelayedFlow? _last;

    private ServiceOptions Options => _rules!.Context.Options;

    /// <summary>Says what new flows go by; to be said before the first.</summary>
    public void Use(InboundContext context, RelayInboundOptions options) => _rules = new Rules(context, options, new RelayGate(options));

    /// <summary>The idle limit of a flow at a hop: its client, with the same limit, ends first, so that no hop forgets a flow that is still used.</summary>
    public static TimeSpan IdleLimit(ServiceOptions options) =>
        options.UdpIdleTimeout == Timeout.InfiniteTimeSpan ? Timeout.InfiniteTimeSpan : options.UdpIdleTimeout * 1.25;

    public static byte[] Write(RelayResponse response, ProxyKey? key)
    {
        Span<byte> buffer = stackalloc byte[RelayResponseCodec.MaxWrittenLength];
        return buffer[..RelayResponseCodec.Write(buffer, response, key)].ToArray();
    }

    public override void OnReceived(DatagramSocket socket, in DatagramPeer from, ReadOnlySpan<byte> datagram)
    {
        if (RelayRequestCodec.Measure(datagram, out int length, out _) != HeaderStatus.Complete)
        {
            // not answered: it may be an answer itself, or have come from somebody else than it says
            Note(from, ProxyErrorReason.ProtocolError, "sent a datagram that holds no relay request");
            return;
        }
        var key = new RelayFlowKey(from, RelayRequestCodec.NonceOf(datagram));
        if (_last is not { HasEnded: false } flow || flow.Key != key) flow = Find(key, datagram[..length]);
        flow?.Take(datagram);
    }

    /// <summary>The flow is over.</summary>
    public void Forget(RelayedFlow flow) => _flows.TryRemove(new KeyValuePair<RelayFlowKey, RelayedFlow>(flow.Key, flow));

    /// <summary>Sends a client an answer without a payload.</summary>
    public void Answer(in DatagramPeer client, RelayResponse response, ProxyKey? key)
    {
        // whoever forges a sender shall not have more sent there than he sends
        bool isStranger = _rules!.Options.Keys.Count > 0 && key is null;
        if (_refusals.TryCount(MaxRefusalsPerSecond)) Socket.SendTo(client, default, Write(isStranger ? response with { Message = "" } : response, key));
    }

    public RelayResponse Explain(RelayRequest request, ProxyException error, string chain) =>
        RelayAnswers.Explain(request, error, chain, Options.ConnectTimeout);

    private RelayedFlow? Find(in RelayFlowKey key, ReadOnlySpan<byte> header)
    {
        if (!_flows.TryGetValue(key, out RelayedFlow? flow) || flow.HasEnded) flow = Open(key, header);
        return _last = flow;
    }

    private RelayedFlow? Open(in RelayFlowKey key, ReadOnlySpan<byte> header)
    {
        (InboundContext context, _, RelayGate gate) = _rules!;
        RelayRequestReading reading = gate.Read(header);
        if (reading.Request is { Command: not RelayCommand.Datagram })
            reading = reading with { Request = null, Reason = ProxyErrorReason.Unsupported, Message = "the request is one for streams, and came in a datagram" };
        if (reading.Request is not { } request)
        {
            Note(key.Client, reading.Reason, reading.Message);
            Answer(key.Client, RelayAnswers.Refuse(key.Nonce, reading.Reason, reading.Message), reading.Key);
            return null;
        }
        var flow = new RelayedFlow(this, Registry, Socket, key, reading, header, gate.PayloadKeyOf(request));
        _flows[key] = flow;
        HostEndpoint next = request.Next!.Endpoint!;
        if (!TryEnter(flow, next.ToString(), IdleLimit(context.Options), out ProxyErrorReason refusal))
        {
            Forget(flow);
            if (refusal != ProxyErrorReason.None) Answer(key.Client, RelayAnswers.Refuse(key.Nonce, refusal, ""), reading.Key);
            return null;
        }
        // ends with the flow at the latest, and the flow is in the registry
        _ = context.OpenAsync(flow, next, Socket);
        return flow;
    }

    private void Note(in DatagramPeer client, ProxyErrorReason reason, string what)
    {
        Registry.CountRefused();
        if (_notes.TryCount(1)) Registry.Write(ProxyEventKind.Refused, $"client {client}: {what}; {Registry.Refused} clients were turned away so far", reason);
    }

    private sealed record Rules(InboundContext Context, RelayInboundOptions Options, RelayGate Gate);
}

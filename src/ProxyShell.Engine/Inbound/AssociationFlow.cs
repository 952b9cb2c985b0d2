using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;

namespace ProxyShell.Engine.Inbound;

/// <summary>A flow of an association: what its client sends under one header.</summary>
internal sealed class AssociationFlow(DatagramAssociation association, ConnectionRegistry registry, byte[] header, IDatagramEnvelope envelope) : DatagramFlow(registry)
{
    private volatile byte[]? _answer;

    /// <summary>The header that names the destination.</summary>
    public byte[] Header => header;

    protected override void OnAttached(DatagramPath path) => _answer = envelope.Answer(header, path.Source);

    // what comes before the client said anything is no answer
    protected override bool Deliver(ReadOnlySpan<byte> payload) => _answer is { } answer && association.Deliver(answer, payload);

    protected override int MaxReply => association.MaxPayload - (_answer?.Length ?? 0);

    protected override void OnEnded(ProxyException? error) => association.Forget(this);
}

using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;

namespace ProxyShell.Engine.Inbound;

/// <summary>A flow of an association: what its client sends under one header.</summary>
internal sealed class AssociationFlow(DatagramAssociation association, ConnectionRegistry registry, byte[] header, byte[] answer) : DatagramFlow(registry)
{
    /// <summary>The header that names the destination.</summary>
    public byte[] Header => header;

    protected override bool Deliver(ReadOnlySpan<byte> payload) => association.Deliver(answer, payload);

    protected override void OnEnded(ProxyException? error) => association.Forget(this);
}

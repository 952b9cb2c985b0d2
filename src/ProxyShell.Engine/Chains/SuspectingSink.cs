using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;

namespace ProxyShell.Engine.Chains;

/// <summary>Passes on what a path of datagrams tells, and lets the health of the alternates at fault know of its failure.</summary>
internal sealed class SuspectingSink(PathSearch search, IDatagramSink sink) : IDatagramSink
{
    public void OnReceived(ReadOnlySpan<byte> payload) => sink.OnReceived(payload);

    public void OnFailed(ProxyException error)
    {
        search.Suspect(error);
        sink.OnFailed(error);
    }
}

using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;

namespace ProxyShell.Engine.Chains;

/// <summary>Tells the health of a chain's alternates what becomes of a path through them, which datagrams show only while they pass.</summary>
internal sealed class BlamingSink(IDatagramSink sink, PathSearch search) : IDatagramSink
{
    private bool _worked;

    public void OnReceived(ReadOnlySpan<byte> payload)
    {
        if (!_worked)
        {
            _worked = true;
            search.Succeed();
        }
        sink.OnReceived(payload);
    }

    public void OnFailed(ProxyException error)
    {
        search.Suspect(error);
        sink.OnFailed(error);
    }
}

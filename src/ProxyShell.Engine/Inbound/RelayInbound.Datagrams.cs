using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Inbound;

/// <summary>Datagrams in a stream.</summary>
internal sealed partial class RelayInbound
{
    private Task CarryDatagramsAsync(ServedConnection served, RelayRequestReading reading)
    {
        string message = reading.Request!.Command == RelayCommand.Datagram
            ? "the request is one for datagrams, and came in a stream"
            : "UDP is not switched on here";
        return RefuseAsync(served, reading, ProxyErrorReason.Unsupported, message);
    }
}

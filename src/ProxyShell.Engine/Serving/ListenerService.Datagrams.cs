using System.Net;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Serving;

/// <summary>Services whose only socket, or one more socket, is one for datagrams.</summary>
public abstract partial class ListenerService
{
    // of the ports that the system gives for one kind of socket, another program may have taken the other kind
    private const int MaxPortAttempts = 20;

    private DatagramSocket? _datagrams;

    /// <summary>What takes datagrams at the service's address; null when nothing does.</summary>
    private protected virtual DatagramPort? Datagrams => null;

    /// <summary>Whether it accepts connections; a service that does not has datagrams.</summary>
    private protected virtual bool AcceptsConnections => true;

    private string Listening => Datagrams is null ? $"{LocalEndPoint}" : $"{LocalEndPoint} ({(AcceptsConnections ? "TCP and UDP" : "UDP")})";

    /// <summary>
    /// Enters a flow of datagrams into the registry, as a connection is entered; null when its client is turned away, with the reason
    /// that it may be told or None when it is to learn nothing. Who enters leaves the share at its end.
    /// </summary>
    internal ProxyConnection? TryEnter(IPEndPoint client, IAbortable flow, out ClientShare? share, out ProxyErrorReason reason)
    {
        (share, reason) = (null, ProxyErrorReason.Stopping);
        if (State != ServiceState.Running) return null;
        ServiceSetup setup = Setup;
        share = setup.Admission.TryEnter(client, out Refusal refusal);
        if (Registry.TryOpen(client, flow, share is null ? 0 : setup.Options.MaxConnections) is { } record) return record;
        share?.Leave();
        if (share is not null) refusal = Refusal.TooMany;
        _refusals.Note(refusal, client, setup.Options);
        (share, reason) = (null, refusal == Refusal.Source ? ProxyErrorReason.None : ProxyErrorReason.LimitExceeded);
        return null;
    }

    /// <summary>Says that the datagram socket met trouble.</summary>
    internal void OnDatagramTrouble(System.Net.Sockets.SocketError error) =>
        Registry.Write(ProxyEventKind.Warning, $"cannot receive datagrams on {LocalEndPoint}: {new System.Net.Sockets.SocketException((int)error).Message}; trying again", ProxyErrorReason.ResourceExhausted);

    // with both kinds of sockets they have the same port
    private void Bind()
    {
        for (int attempts = 1; ; attempts++)
        {
            _datagrams = Datagrams is null ? null : CurrentOptions.Sockets.BindDatagrams((IPEndPoint)BindAddress);
            try
            {
                if (AcceptsConnections) _listener = CurrentOptions.Sockets.Listen(_datagrams?.LocalEndPoint ?? BindAddress);
                return;
            }
            catch (ProxyException e)
            {
                _datagrams?.Dispose();
                bool another = e.Reason == ProxyErrorReason.AddressInUse && CurrentOptions.LocalPort == 0 && _datagrams is not null && attempts < MaxPortAttempts;
                _datagrams = null;
                if (!another) throw;
            }
        }
    }
}

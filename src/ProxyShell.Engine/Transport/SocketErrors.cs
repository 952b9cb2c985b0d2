using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Transport;

/// <summary>Turns socket errors into reasons.</summary>
internal static class SocketErrors
{
    public static ProxyErrorReason Reason(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => ProxyErrorReason.ConnectionRefused,
        SocketError.HostUnreachable or SocketError.HostDown => ProxyErrorReason.HostUnreachable,
        SocketError.NetworkUnreachable or SocketError.NetworkDown => ProxyErrorReason.NetworkUnreachable,
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => ProxyErrorReason.NameNotFound,
        SocketError.TimedOut => ProxyErrorReason.TimedOut,
        SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown or SocketError.OperationAborted or SocketError.Interrupted => ProxyErrorReason.ConnectionReset,
        SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable => ProxyErrorReason.ResourceExhausted,
        SocketError.AddressAlreadyInUse => ProxyErrorReason.AddressInUse,
        SocketError.AddressNotAvailable or SocketError.AccessDenied => ProxyErrorReason.AddressNotAvailable,
        _ => ProxyErrorReason.Other,
    };

    public static ProxyException Dial(SocketException error) => Make(error, ProxyStage.Dial, null);

    public static ProxyException Relay(SocketException error) => Make(error, ProxyStage.Relay, null);

    public static ProxyException Listen(SocketException error, EndPoint endpoint) => Listen(error, endpoint, "");

    public static ProxyException ListenDatagrams(SocketException error, EndPoint endpoint) => Listen(error, endpoint, "UDP ");

    private static ProxyException Listen(SocketException error, EndPoint endpoint, string kind)
    {
        string subject = $"cannot listen on {kind}{endpoint}";
        if (endpoint is UnixDomainSocketEndPoint && Path.GetDirectoryName(endpoint.ToString()) is { } folder && !Directory.Exists(folder))
            return new ProxyException(ProxyErrorReason.AddressNotAvailable, ProxyStage.Listen, subject, $"the folder '{folder}' does not exist", error);
        string? detail = error.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse => "the address is already in use; choose another port, or 0 for any free one",
            SocketError.AccessDenied when endpoint is UnixDomainSocketEndPoint => "permission denied",
            SocketError.AccessDenied => "permission denied; ports below 1024 need privileges",
            SocketError.AddressNotAvailable => "this machine does not have that address",
            _ => null,
        };
        return Make(error, ProxyStage.Listen, subject, detail);
    }

    private static ProxyException Make(SocketException error, ProxyStage stage, string? subject, string? detail = null)
    {
        ProxyErrorReason reason = Reason(error.SocketErrorCode);
        if (reason == ProxyErrorReason.Other) detail ??= error.Message;
        return new ProxyException(reason, stage, subject, detail, error);
    }
}

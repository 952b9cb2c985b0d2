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

    public static ProxyException Listen(SocketException error, EndPoint endpoint)
    {
        string? detail = error.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse => "the address is already in use; choose another port, or 0 for any free one",
            SocketError.AccessDenied => "permission denied; ports below 1024 need privileges",
            SocketError.AddressNotAvailable => "this machine does not have that address",
            _ => null,
        };
        return Make(error, ProxyStage.Listen, $"cannot listen on {endpoint}", detail);
    }

    private static ProxyException Make(SocketException error, ProxyStage stage, string? subject, string? detail = null)
    {
        ProxyErrorReason reason = Reason(error.SocketErrorCode);
        if (reason == ProxyErrorReason.Other) detail ??= error.Message;
        return new ProxyException(reason, stage, subject, detail, error);
    }
}

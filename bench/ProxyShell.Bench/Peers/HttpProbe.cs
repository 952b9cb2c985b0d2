using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ProxyShell.Bench.Peers;

/// <summary>Asks an HTTP server once.</summary>
internal static class HttpProbe
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Whether the port answers a request for the host with 200.</summary>
    internal static async Task<bool> IsServedAsync(int port, string host, string path, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Patience);
        var answer = new byte[4096];
        try
        {
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), deadline.Token);
            await socket.SendAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"), deadline.Token);
            int count = await socket.ReceiveAsync(answer, deadline.Token);
            return answer.AsSpan(0, count).StartsWith("HTTP/1.1 200"u8);
        }
        catch (Exception silence) when (silence is SocketException || (silence is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }
}

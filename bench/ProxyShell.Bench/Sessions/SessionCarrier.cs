using System.Net;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Bench.Sessions;

/// <summary>The connection of a session between two processes of the bench, and how the session is set up.</summary>
internal static class SessionCarrier
{
    /// <summary>As by default, but for what the rows open at once.</summary>
    internal static SessionOptions Options { get; } = new() { MaxChannels = 100_000, MaxPendingOffers = 100_000 };

    /// <summary>Returns when the far side has answered: a link in between accepts before it knows whether anybody is there.</summary>
    internal static async Task<MultiplexedSession> ConnectAsync(int port)
    {
        MultiplexedSession session = await MultiplexedSession.StartAsync(await DialAsync(port), Options, CancellationToken.None);
        SessionChannel proof = await session.OfferAsync(FarSide.Echo, CancellationToken.None);
        await proof.DisposeAsync();
        return session;
    }

    internal static ValueTask<DuplexConnection> DialAsync(int port) =>
        SocketTransport.Default.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), CancellationToken.None);

    /// <summary>Accepts for good.</summary>
    internal static void Listen(int port, Func<DuplexConnection, Task> serve) =>
        SocketTransport.Default.Listen(new IPEndPoint(IPAddress.Loopback, port)).Start(connection => _ = serve(connection), Console.Error.WriteLine);
}

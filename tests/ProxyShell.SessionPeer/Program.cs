// What tests/interop/sessions.sh runs beside npm/sessions.mjs, which does the same: serve VERSION WINDOW, which prints its port, or
// drive VERSION WINDOW PORT, which prints a line for each check that passed and ends with 1 at the first that did not.
using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Protocols.Multiplexing;
using ProxyShell.Engine.Sessions;
using ProxyShell.SessionPeer;

var options = new SessionOptions
{
    Version = (MultiplexingVersion)int.Parse(args[1]),
    Window = long.Parse(args[2]),
    MaxWindow = Math.Max(long.Parse(args[2]), 1 << 20),
    SeededChannels = args[1] == "3" ? 2 : 0,
    MaxPendingOffers = 2000,
};

if (args[0] == "serve")
{
    using var listener = new TcpListener(IPAddress.Loopback, 0);
    listener.Start();
    Console.WriteLine(((IPEndPoint)listener.LocalEndpoint).Port);
    using Socket accepted = await listener.AcceptSocketAsync();
    await using MultiplexedSession session = await StartAsync(accepted);
    await new Server(session, options.SeededChannels).RunAsync();
    return 0;
}

using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
await socket.ConnectAsync(IPAddress.Loopback, int.Parse(args[3]));
await using MultiplexedSession driven = await StartAsync(socket);
return await new Driver(driven, options).RunAsync() ? 0 : 1;

ValueTask<MultiplexedSession> StartAsync(Socket connected)
{
    connected.NoDelay = true;
    return MultiplexedSession.StartAsync(new NetworkStream(connected, ownsSocket: true), options, CancellationToken.None);
}

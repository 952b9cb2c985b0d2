using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Striping;

namespace ProxyShell.Engine.Tests.Striping;

/// <summary>The two ends of a pipe that speaks messages, started for a test.</summary>
internal sealed record Pipe(StripedPipeEntry Near, StripedPipeExit Far)
{
    public static async Task<Pipe> StartAsync(
        House house,
        string sockets,
        HostEndpoint destination,
        Func<StripedPipeEntryOptions, StripedPipeEntryOptions>? near = null,
        Func<StripedPipeExitOptions, StripedPipeExitOptions>? far = null)
    {
        StripedPipeExit exit = await ExitAsync(house, sockets, destination, far);
        return new Pipe(await EntryAsync(house, sockets, TransportAddress.Parse(exit.Uri), near), exit);
    }

    public static Task<StripedPipeEntry> EntryAsync(House house, string sockets, TransportAddress peer, Func<StripedPipeEntryOptions, StripedPipeEntryOptions>? change = null) =>
        house.StartAsync(new StripedPipeEntry((change ?? (o => o))(new StripedPipeEntryOptions { Peer = peer, Framing = StripedPipeFraming.Datagram, Sockets = Sockets.Of(sockets) })));

    public static Task<StripedPipeExit> ExitAsync(House house, string sockets, HostEndpoint destination, Func<StripedPipeExitOptions, StripedPipeExitOptions>? change = null) =>
        house.StartAsync(new StripedPipeExit((change ?? (o => o))(new StripedPipeExitOptions { Destination = destination, Framing = StripedPipeFraming.Datagram, Sockets = Sockets.Of(sockets) })));

    public async Task QuietAsync()
    {
        foreach (ListenerService end in new ListenerService[] { Near, Far }) await House.QuietAsync(end);
    }
}

using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Transport;
using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Tests.Transport;

/// <summary>The engine's own sockets; on other systems this suite runs over the portable ones once more.</summary>
public sealed class LinuxDatagramTests() : DatagramContract(OperatingSystem.IsLinux() && LinuxTransport.IsSupported ? Sockets.Linux : Sockets.Portable)
{
    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    public async Task A_socket_of_all_addresses_answers_from_the_one_that_was_asked(string all)
    {
        if (!OperatingSystem.IsLinux() || !LinuxTransport.IsSupported || (all == "::" && !Socket.OSSupportsIPv6)) return;
        using DatagramSocket far = Sockets.Of(Sockets.Linux).BindDatagrams(new IPEndPoint(IPAddress.Parse(all), 0));
        far.Start(new DatagramLog { Echoes = true });
        var log = new DatagramLog();
        // the route to this machine would choose 127.0.0.1, from which a connected socket takes no answer
        using DatagramSocket near = Sockets.Of(Sockets.Linux).ConnectDatagrams(new IPEndPoint(IPAddress.Parse("127.0.0.77"), far.LocalEndPoint.Port), null);
        near.Start(log);
        near.Send(default, "who?"u8);
        Assert.Equal("who?"u8.ToArray(), (await log.NextAsync()).Bytes);
    }
}

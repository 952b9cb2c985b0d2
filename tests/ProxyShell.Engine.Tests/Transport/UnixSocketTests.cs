using System.Diagnostics;
using System.Net.Sockets;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Tests.Transport;

/// <summary>Services on Unix sockets, and what becomes of their files.</summary>
public sealed class UnixSocketTests : IDisposable
{
    private readonly ScratchFolder _folder = new();

    private string SocketPath => _folder.File("proxy.sock");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_hop_on_a_Unix_socket_carries_traffic(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        ProxyServer server = await StartAsync(house);
        Assert.Equal("relay+unix:" + SocketPath, server.Uri);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, new ProxyChain(ProxyHop.Parse(server.Uri)));

        using Client client = await Client.ConnectAsync(listener.LocalPort);
        byte[] sent = RandomBytes.Of(2_000_000);
        Task<byte[]> reading = client.ReadToEndAsync();
        await client.SendAsync(sent);
        client.EndSending();

        Assert.Equal(sent, await reading);
        await House.QuietAsync(server);
        Assert.Equal((sent.Length, 0, 0), (server.Counters.BytesSent, server.Counters.Failed, server.Counters.Refused));
        Assert.Equal("unix", (await House.EventAsync(server, ProxyEventKind.Closed)).Client);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_file_is_for_its_user_alone_and_goes_with_the_service(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await StartAsync(house);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(SocketPath));
        await server.StopAsync(TimeSpan.Zero).Within();
        Assert.False(File.Exists(SocketPath));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_file_that_a_dead_process_left_is_replaced(string sockets)
    {
        LeaveSocketFile(SocketPath);
        await using var house = new House(sockets);
        ProxyServer server = await StartAsync(house);
        Assert.Equal(ServiceState.Running, server.State);
        Assert.All(await new ChainTester().TestAsync(new(server.ToHop()), null).ToListAsync(), r => Assert.Null(r.Error));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_socket_that_somebody_answers_on_stays(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer first = await StartAsync(house);
        await AssertInUseAsync(sockets);
        Assert.All(await new ChainTester().TestAsync(new(first.ToHop()), null).ToListAsync(), r => Assert.Null(r.Error));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task An_ordinary_file_stays(string sockets)
    {
        File.WriteAllText(SocketPath, "precious");
        await AssertInUseAsync(sockets);
        Assert.Equal("precious", await File.ReadAllTextAsync(SocketPath));
    }

    [Fact]
    public async Task An_ordinary_file_that_is_in_use_stays()
    {
        File.WriteAllText(SocketPath, "precious");
        using (new FileStream(SocketPath, FileMode.Open, FileAccess.ReadWrite, FileShare.None)) await AssertInUseAsync(Sockets.Portable);
        Assert.Equal("precious", await File.ReadAllTextAsync(SocketPath));
    }

    [Fact]
    public async Task A_pipe_stays_and_holds_nothing_up()
    {
        if (!OperatingSystem.IsLinux()) return;
        using (var make = Process.Start("mkfifo", [SocketPath])) await make.WaitForExitAsync().Within();
        await AssertInUseAsync(Sockets.Portable);
        Assert.True(File.Exists(SocketPath));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_folder_that_vanished_does_not_hinder_a_stop(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await StartAsync(house);
        Directory.Delete(_folder.Path, recursive: true);
        await server.StopAsync(TimeSpan.Zero).Within();
        await server.Completion.Within();
        Assert.Equal(ServiceState.Stopped, server.State);
    }

    [Theory]
    [InlineData("unix:relative.sock", "LocalAddress is 'unix:relative.sock'; the path of a Unix socket must be absolute.")]
    [InlineData("unix:", "LocalAddress is 'unix:'; the path of a Unix socket must be absolute.")]
    public void A_wrong_path_is_named(string address, string message) =>
        Assert.Equal(message, Assert.Throws<FormatException>(() => new ProxyServer(new ProxyServerOptions { LocalAddress = address })).Message);

    [Fact]
    public void A_path_too_long_is_named()
    {
        string address = "unix:/" + new string('x', 200);
        Assert.Equal(
            $"LocalAddress is '{address}'; the path of a Unix socket has at most 107 bytes.",
            Assert.Throws<FormatException>(() => new ProxyServer(new ProxyServerOptions { LocalAddress = address })).Message);
    }

    private Task<ProxyServer> StartAsync(House house) => house.ProxyAsync(o => o with { LocalAddress = "unix:" + SocketPath });

    private async Task AssertInUseAsync(string sockets)
    {
        await using var second = new ProxyServer(new ProxyServerOptions { LocalAddress = "unix:" + SocketPath, Sockets = Sockets.Of(sockets) });
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => second.StartAsync().Within());
        Assert.Equal(ProxyErrorReason.AddressInUse, error.Reason);
        Assert.StartsWith($"cannot listen on {SocketPath}: ", error.Message, StringComparison.Ordinal);
    }

    // .NET removes the file when it closes a socket that it bound; a process that dies does not
    private static void LeaveSocketFile(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path + ".bound"));
        File.Move(path + ".bound", path);
    }
}

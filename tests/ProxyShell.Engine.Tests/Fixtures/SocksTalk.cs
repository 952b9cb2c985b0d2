using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Protocols.Socks;

namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>A SOCKS client that says each part by itself and looks at each answer's bytes.</summary>
internal sealed class SocksTalk : IDisposable
{
    private SocksTalk(Client client) => Client = client;

    public Client Client { get; }

    public static async Task<SocksTalk> OpenAsync(int port) => new(await Client.ConnectAsync(port));

    /// <summary>A connection on which nobody was asked for a password.</summary>
    public static async Task<SocksTalk> GreetedAsync(int port)
    {
        SocksTalk talk = await OpenAsync(port);
        Assert.Equal([5, 0], await talk.GreetAsync(0));
        return talk;
    }

    /// <summary>Connects to a destination with version 5, as a client does that has no password.</summary>
    public static async Task<SocksTalk> ConnectAsync(int port, HostEndpoint destination)
    {
        SocksTalk talk = await GreetedAsync(port);
        Assert.Equal(0, (await talk.RequestAsync(1, destination)).Code);
        return talk;
    }

    public static byte[] Request(byte command, HostEndpoint address)
    {
        var buffer = new byte[Socks5RequestCodec.MaxLength];
        return buffer[..Socks5RequestCodec.Write(buffer, (SocksCommand)command, address)];
    }

    public static byte[] Request4(byte command, HostEndpoint address, string userId = "")
    {
        var buffer = new byte[Socks4RequestCodec.MaxLength];
        return buffer[..Socks4RequestCodec.Write(buffer, (SocksCommand)command, address, userId)];
    }

    public static byte[] Credential(string userName, string password)
    {
        var buffer = new byte[Socks5CredentialCodec.MaxLength];
        return buffer[..Socks5CredentialCodec.Write(buffer, userName, password)];
    }

    public async Task<byte[]> GreetAsync(params byte[] methods)
    {
        await Client.SendAsync(new byte[] { 5, (byte)methods.Length }.Concat(methods).ToArray());
        return await Client.ReadAsync(2);
    }

    public async Task<byte[]> ShowAsync(string userName, string password)
    {
        await Client.SendAsync(Credential(userName, password));
        return await Client.ReadAsync(2);
    }

    public async Task<(byte Code, IPEndPoint Bound)> RequestAsync(byte command, HostEndpoint address)
    {
        await Client.SendAsync(Request(command, address));
        return await ReadReplyAsync();
    }

    public async Task<(byte Code, IPEndPoint Bound)> Request4Async(byte command, HostEndpoint address, string userId = "")
    {
        await Client.SendAsync(Request4(command, address, userId));
        return await ReadReply4Async();
    }

    public async Task<(byte Code, IPEndPoint Bound)> ReadReplyAsync()
    {
        byte[] head = await Client.ReadAsync(4);
        Assert.Equal((5, 0), (head[0], head[2]));
        Assert.Contains(head[3], new byte[] { 1, 4 });
        byte[] address = await Client.ReadAsync((head[3] == 1 ? 4 : 16) + 2);
        return (head[1], new IPEndPoint(new IPAddress(address.AsSpan(0, address.Length - 2)), (address[^2] << 8) | address[^1]));
    }

    public async Task<(byte Code, IPEndPoint Bound)> ReadReply4Async()
    {
        Assert.True(Socks4ReplyCodec.TryRead(await Client.ReadAsync(8), out byte code, out IPEndPoint bound));
        return (code, bound);
    }

    /// <summary>What is said goes there and comes back from an echo.</summary>
    public async Task AssertEchoesAsync(string text = "hello")
    {
        await Client.SendAsync(text);
        Assert.Equal(text, System.Text.Encoding.ASCII.GetString(await Client.ReadAsync(text.Length)));
    }

    public void Dispose() => Client.Dispose();
}

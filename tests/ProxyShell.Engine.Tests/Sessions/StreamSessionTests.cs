using System.IO.Pipes;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Multiplexing;
using ProxyShell.Engine.Sessions;

namespace ProxyShell.Engine.Tests.Sessions;

/// <summary>Sessions over anybody's streams, as users of the library begin them.</summary>
public class StreamSessionTests
{
    [Fact]
    public async Task Over_a_socket() => await TalkAsync(await SocketsAsync());

    [Fact]
    public async Task Over_TLS()
    {
        (Stream near, Stream far) = await SocketsAsync();
        var client = new SslStream(near, leaveInnerStreamOpen: false, (_, shown, _, _) => shown?.GetCertHashString() == Certificates.Localhost.GetCertHashString());
        var server = new SslStream(far, leaveInnerStreamOpen: false);
        await Task.WhenAll(client.AuthenticateAsClientAsync("localhost"), server.AuthenticateAsServerAsync(Certificates.Localhost)).Within();
        await TalkAsync((client, server));
    }

    [Fact]
    public async Task Over_a_pipe_that_knows_no_half_close()
    {
        string name = $"proxyshell-{Guid.NewGuid():N}";
        var server = new NamedPipeServerStream(name, PipeDirection.InOut, 1, PipeTransmissionMode.Byte, PipeOptions.Asynchronous);
        var client = new NamedPipeClientStream(".", name, PipeDirection.InOut, PipeOptions.Asynchronous);
        await Task.WhenAll(server.WaitForConnectionAsync(), client.ConnectAsync()).Within();
        await TalkAsync((client, server));
    }

    [Fact]
    public async Task A_stream_that_breaks_is_the_reason()
    {
        (Stream near, Stream far) = await SocketsAsync();
        await using MultiplexedSession session = await MultiplexedSession.StartAsync(near, new SessionOptions(), CancellationToken.None);
        ((NetworkStream)far).Socket.Close(0);
        ProxyException? error = await session.Completion.Within();
        Assert.Equal(ProxyErrorReason.ConnectionReset, error!.Reason);
        Assert.StartsWith("the stream broke: ", error.Message, StringComparison.Ordinal);
    }

    private static async Task TalkAsync((Stream Near, Stream Far) streams)
    {
        var options = new SessionOptions { Version = MultiplexingVersion.V2 };
        Task<MultiplexedSession> starting = MultiplexedSession.StartAsync(streams.Near, options, CancellationToken.None).AsTask();
        await using MultiplexedSession far = await MultiplexedSession.StartAsync(streams.Far, options, CancellationToken.None).Within();
        MultiplexedSession near = await starting.Within();
        Task<SessionChannel> accepting = far.AcceptAsync("web", CancellationToken.None);
        SessionChannel channel = await near.OfferAsync("web", CancellationToken.None).Within(), accepted = await accepting.Within();
        byte[] sent = RandomBytes.Of(1_000_000);
        Task sending = SessionPair.SendAsync(channel, sent);
        Assert.Equal(sent, await SessionPair.ReadToEndAsync(accepted));
        await sending.Within();
        await near.DisposeAsync().Within();
        Assert.Null(await near.Completion.Within());
        await far.Completion.Within();
    }

    private static async Task<(Stream Near, Stream Far)> SocketsAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var near = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await near.ConnectAsync(listener.LocalEndpoint).Within();
        return (new NetworkStream(near, ownsSocket: true), new NetworkStream(await listener.AcceptSocketAsync().Within(), ownsSocket: true));
    }
}

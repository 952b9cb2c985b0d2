using System.Text;
using ProxyShell.Engine.Protocols.Tunnels;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Transport;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Tests.Tunnels;

/// <summary>An agent that says message by message what a test wants.</summary>
internal sealed class RawAgent : IAsyncDisposable
{
    private readonly ControlChannel _control;

    private RawAgent(MultiplexedSession session, ControlChannel control, SessionChannel channel) => (Session, _control, Channel) = (session, control, channel);

    public MultiplexedSession Session { get; }

    /// <summary>The control channel's bytes.</summary>
    public SessionChannel Channel { get; }

    public static async Task<RawAgent> ConnectAsync(int port)
    {
        DuplexConnection connection = await Sockets.Of(Sockets.Portable).ConnectAsync(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, port), CancellationToken.None).Within();
        MultiplexedSession session = await MultiplexedSession.StartAsync(connection, new SessionOptions { SeededChannels = 1 }, CancellationToken.None).Within();
        SessionChannel channel = session.Seeded(0);
        return new RawAgent(session, new ControlChannel(channel), channel);
    }

    public Task SendAsync(ControlMessage message) => _control.WriteAsync(message, CancellationToken.None).Within();

    public Task SendAsync(string text) => Channel.WriteAsync(Encoding.UTF8.GetBytes(text), CancellationToken.None).Within();

    public async Task<ControlMessage> ReadAsync() => await _control.ReadAsync(CancellationToken.None).Within() ?? throw new InvalidOperationException("the control channel has ended");

    public async Task<ControlMessage> ExpectAsync(string type)
    {
        ControlMessage message = await ReadAsync();
        Assert.Equal((type, message.Message), (message.Type, message.Message));
        return message;
    }

    /// <summary>Says hello and returns the challenge.</summary>
    public async Task<ControlMessage> ChallengeAsync()
    {
        await SendAsync(new ControlMessage { Type = ControlMessageType.Hello, Version = 1 });
        return await ExpectAsync(ControlMessageType.Challenge);
    }

    public static RegistrationClaims Claims(ControlMessage challenge) => new()
    {
        Challenge = challenge.Nonce,
        Nonce = RegistrationCheck.NewNonce(),
        Time = DateTimeOffset.UtcNow.ToUnixTimeSeconds(),
        Gateway = challenge.Gateway,
        Tunnel = new TunnelRequest { Kind = "tcp" },
    };

    public Task RegisterAsync(TunnelIdentity identity, RegistrationClaims claims) =>
        SendAsync(new ControlMessage { Type = ControlMessageType.Register, Jws = RegistrationProof.Sign(identity, claims) });

    /// <summary>Registers a TCP tunnel.</summary>
    public async Task<ControlMessage> RegisterAsync(TunnelIdentity identity)
    {
        await RegisterAsync(identity, Claims(await ChallengeAsync()));
        return await ExpectAsync(ControlMessageType.Registered);
    }

    /// <summary>Expects the gateway to refuse for this reason, and to close the session.</summary>
    public async Task<ControlMessage> RefusedAsync(string reason)
    {
        ControlMessage message = await ExpectAsync(ControlMessageType.Error);
        Assert.Equal(reason, message.Reason);
        await Session.Completion.Within();
        return message;
    }

    public async ValueTask DisposeAsync()
    {
        Session.Abort();
        await Session.DisposeAsync().Within();
        _control.Dispose();
    }
}

using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels;

/// <summary>Serves agents: a session of the multiplexing protocol, version 3, in which they register (docs/protocols/tunnel.md).</summary>
internal sealed class ControlInbound(InboundContext context, TunnelDesk desk, KeyAdmission keys, TunnelGatewayOptions options) : InboundProtocol(context)
{
    // MessagePack's arrays: short ones, and the two longer forms
    private const int FixArrayMask = 0xF0;
    private const int FixArray = 0x90;

    public override string Name => "tunnel";

    public override bool Begins(byte first) => (first & FixArrayMask) == FixArray || first is 0xDC or 0xDD;

    public override async Task ServeAsync(ServedConnection served, HeaderReader reader)
    {
        reader.Dispose();
        served.Record.Protocol = Name;
        byte[]? certificate = served.Client.ServerCertificateHash;
        var check = new RegistrationCheck(options, keys, certificate, message => Context.Registry.Write(ProxyEventKind.Warning, message));
        (GatewaySession session, TunnelRegistration registration) = await RegisterAsync(served, check).ConfigureAwait(false);
        try
        {
            NoteRegistered(served, registration.Grant);
            await session.ServeAsync().ConfigureAwait(false);
        }
        finally
        {
            await desk.UnregisterAsync(registration, session.AgentLeft).ConfigureAwait(false);
            // what the agent was told is still sent
            await session.DisposeAsync().ConfigureAwait(false);
            served.WasTold = true;
        }
    }

    private async ValueTask<(GatewaySession Session, TunnelRegistration Registration)> RegisterAsync(ServedConnection served, RegistrationCheck check)
    {
        desk.BeginHandshake();
        GatewaySession? session = null;
        try
        {
            session = await GatewaySession.StartAsync(desk, options, served).ConfigureAwait(false);
            return (session, await session.RegisterAsync(check, served.Record.ClientEndPoint, served.Clock.Token).ConfigureAwait(false));
        }
        catch (Exception e)
        {
            served.WasRefused = true;
            if (e is not ProxyException) session?.Abort();
            if (session is not null) await session.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            desk.EndHandshake();
        }
    }

    private void NoteRegistered(ServedConnection served, TunnelGrant grant)
    {
        served.EndSetUp();
        served.WasOpened = true;
        // silence is the session's own affair
        (served.Record.IdleLimit, served.Record.Destination, served.Record.State) = (Timeout.InfiniteTimeSpan, grant.Name, ConnectionState.Open);
        Context.Registry.Write(ProxyEventKind.Opened, $"registered {grant.Url} for {(grant.Destination.Length > 0 ? grant.Destination : "its agent")}", connection: served.Record);
    }
}

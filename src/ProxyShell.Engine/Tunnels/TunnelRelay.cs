using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels;

/// <summary>Leads whole connections to the agents of a name: one channel each, to the least busy agent, and to another one when that is gone.</summary>
internal sealed class TunnelRelay(InboundContext context, TunnelDirectory directory)
{
    /// <summary>Relays until the end; failures are thrown.</summary>
    public async Task ServeAsync(ServedConnection served, string name, TunnelKind kind, TunnelVisitor visitor)
    {
        (served.Record.Protocol, served.Record.Destination, served.Record.State) = (visitor.Scheme, name, ConnectionState.Connecting);
        served.Clock.Allow(context.Options.ConnectTimeout);
        (TunnelRegistration registration, DuplexConnection channel) = await OpenAsync(served, name, kind, visitor).ConfigureAwait(false);
        try
        {
            served.Record.AttachUpstream(channel);
            await context.RelayAsync(served, served.Client, channel).ConfigureAwait(false);
        }
        finally
        {
            registration.End();
        }
    }

    private async ValueTask<(TunnelRegistration Registration, DuplexConnection Channel)> OpenAsync(ServedConnection served, string name, TunnelKind kind, TunnelVisitor visitor)
    {
        while (true)
        {
            TunnelRegistration registration = Find(served, name, kind, visitor);
            try
            {
                return (registration, await registration.OpenAsync(visitor, served.Clock.Token).ConfigureAwait(false));
            }
            catch (ProxyException e) when (IsGone(e))
            {
                // it is not found again; perhaps another one is
                registration.End();
            }
            catch
            {
                registration.End();
                throw;
            }
        }
    }

    private TunnelRegistration Find(ServedConnection served, string name, TunnelKind kind, TunnelVisitor visitor)
    {
        if (directory.Find(name, kind).Registration is not { } registration) throw new ProxyException(ProxyErrorReason.ConnectionClosed, ProxyStage.Relay, name, "no agent serves it now") { Side = ProxySide.Upstream };
        if (!new SourcePolicy(registration.Grant.Settings.AllowSource, []).Allows(visitor.Client))
        {
            served.WasRefused = true;
            throw new ProxyException(ProxyErrorReason.ClientNotAdmitted, ProxyStage.Request, "client") { Side = ProxySide.Client };
        }
        if (registration.Begin()) return registration;
        served.WasRefused = true;
        throw new ProxyException(ProxyErrorReason.LimitExceeded, ProxyStage.Request, name, $"has {registration.Grant.Settings.MaxConnections} connections, which is as many as it may");
    }

    private static bool IsGone(ProxyException e) => e is { Stage: ProxyStage.Relay, Reason: ProxyErrorReason.ConnectionClosed } or { Stage: ProxyStage.Request, Reason: ProxyErrorReason.Stopping };
}

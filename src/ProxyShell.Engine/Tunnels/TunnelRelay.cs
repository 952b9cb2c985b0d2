using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels;

/// <summary>Leads whole connections to the agents of a name: one channel each, to the least busy agent, and to another one when that is gone.</summary>
internal sealed class TunnelRelay(ServiceContext context, TunnelDirectory directory)
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

    /// <summary>Opens a channel; its work has begun, and whoever has it says <see cref="TunnelRegistration.End"/>.</summary>
    /// <exception cref="ProxyException">
    /// Nobody serves the name, the visitor is not admitted or one too many (stage Request, side Client), or as <see cref="TunnelRegistration.OpenAsync"/>.
    /// </exception>
    public async ValueTask<(TunnelRegistration Registration, DuplexConnection Channel)> OpenAsync(string name, TunnelKind kind, TunnelVisitor visitor, CancellationToken cancellationToken)
    {
        while (true)
        {
            TunnelRegistration registration = Find(name, kind, visitor);
            try
            {
                return (registration, await registration.OpenAsync(visitor, cancellationToken).ConfigureAwait(false));
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

    private async ValueTask<(TunnelRegistration Registration, DuplexConnection Channel)> OpenAsync(ServedConnection served, string name, TunnelKind kind, TunnelVisitor visitor)
    {
        try
        {
            return await OpenAsync(name, kind, visitor, served.Clock.Token).ConfigureAwait(false);
        }
        catch (ProxyException e) when (e is { Stage: ProxyStage.Request, Side: ProxySide.Client })
        {
            served.WasRefused = true;
            throw;
        }
    }

    private TunnelRegistration Find(string name, TunnelKind kind, TunnelVisitor visitor)
    {
        if (directory.Find(name, kind).Registration is not { } registration) throw new ProxyException(ProxyErrorReason.ConnectionClosed, ProxyStage.Relay, name, "no agent serves it now") { Side = ProxySide.Upstream };
        if (!new SourcePolicy(registration.Grant.Settings.AllowSource, []).Allows(visitor.Client)) throw new ProxyException(ProxyErrorReason.ClientNotAdmitted, ProxyStage.Request, name) { Side = ProxySide.Client };
        if (registration.Begin()) return registration;
        throw new ProxyException(ProxyErrorReason.LimitExceeded, ProxyStage.Request, name, $"has {registration.Grant.Settings.MaxConnections} connections, which is as many as it may") { Side = ProxySide.Client };
    }

    // an agent that takes no more has said so, or is about to: it is marked, so that this comes to an end
    private static bool IsGone(ProxyException e) => e is { Stage: ProxyStage.Relay, Reason: ProxyErrorReason.ConnectionClosed };
}

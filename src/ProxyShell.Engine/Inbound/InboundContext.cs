using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>What a service lends its protocols: besides the steps that all services share, its way out and its users.</summary>
internal sealed partial class InboundContext(ServiceOptions options, ConnectionRegistry registry, Outbound outbound, IReadOnlyList<ProxyCredential> credentials)
    : ServiceContext(options, registry)
{
    /// <summary>The way out.</summary>
    public Outbound Outbound => outbound;

    /// <summary>What serves the channels of clients' sessions; null where there are no sessions.</summary>
    public ListenerService? Host { get; init; }

    /// <summary>The users; when there are any, a client must be one of them.</summary>
    public IReadOnlyList<ProxyCredential> Credentials => credentials;

    /// <summary>Whether this is one of the users, or there are none; looks at all of them, so that the time tells nothing.</summary>
    public bool Admits(string userName, string password) =>
        credentials.Count == 0 || credentials.Aggregate(false, (found, credential) => found | credential.Matches(userName, password));

    /// <summary>
    /// Connects to what the client asked for, within the connect time. A failure is thrown as it is, with <see cref="ServedConnection.WasRefused"/>
    /// set when this service forbids the destination itself; the protocol tells the client and throws it on.
    /// </summary>
    public async ValueTask<DuplexConnection> ConnectAsync(ServedConnection served, string protocol, FlightTarget target, EarlyPayload? early = null)
    {
        ProxyConnection record = served.Record;
        (record.Protocol, record.Destination, record.State) = (protocol, target.Address!.ToString(), ConnectionState.Connecting);
        served.Clock.Allow(Options.ConnectTimeout);
        try
        {
            DuplexConnection upstream = await outbound.ConnectAsync(record, target, early, served.Clock.Allowed, served.Clock.Token).ConfigureAwait(false);
            record.AttachUpstream(upstream);
            return upstream;
        }
        catch (ProxyException e)
        {
            served.WasRefused = e is { Stage: ProxyStage.Policy, HopNumber: null };
            throw;
        }
    }
}

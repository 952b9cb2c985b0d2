using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Serving;

/// <summary>What the service goes by, and its exchange while the service runs.</summary>
public abstract partial class ListenerService
{
    /// <summary>Makes the way out that the options describe.</summary>
    private protected abstract RouteTable MakeRoutes(ServiceOptions options);

    /// <summary>Makes what serves clients as the options say.</summary>
    private protected abstract IClientServer MakeServer(ServiceOptions options);

    /// <summary>
    /// Goes by other options from now on; <c>service.Options with { … }</c> makes them. Whoever connects from now on is under the new ones
    /// altogether. Open connections live on, also those over a lower limit or that would not be let in any more; for them, the bandwidth
    /// limits and the idle limit are the new ones, and so is the way to whatever they connect to next. A Reconfigured event says what
    /// has changed; when nothing has, there is none.
    /// </summary>
    /// <exception cref="FormatException">
    /// An option is out of range, would open the machine to strangers, or is one that a running service cannot change: its name, address, port,
    /// protocols, destination, TLS at all, capacity for events, or clock. The message names it, and everything stays as it was.
    /// </exception>
    /// <exception cref="InvalidOperationException">The service has been stopped.</exception>
    private protected void Reconfigure(ServiceOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        lock (_gate)
        {
            if (State is ServiceState.Stopping or ServiceState.Stopped) throw new InvalidOperationException($"{Name} has been stopped.");
            string? changes = OptionChanges.Describe(CurrentOptions, options);
            RefuseStrangers(options);
            if (changes is null) return;
            Adopt(options);
            Registry.Write(ProxyEventKind.Reconfigured, changes);
        }
    }

    /// <summary>Makes all that follows from the options, then takes it into use.</summary>
    private protected void Adopt(ServiceOptions options)
    {
        TlsServer? tls = options.SpeaksTls ? MakeTls(options) : null;
        RouteTable routes = MakeRoutes(options);
        var setup = new ServiceSetup(options, new Admission(options, _clients), tls, MakeServer(options));
        if (Outbound is { } outbound) outbound.Routes = routes;
        _clients.SetRates(options.BandwidthLimit, options.ClientBandwidthLimit);
        _sweeper?.Use(options);
        _setup = setup;
    }

    private TlsServer MakeTls(ServiceOptions options)
    {
        ClientCertificatePolicy? clients = options.RequiresClientCertificate ? new(options.ClientCertificateThumbprints, options.ClientCertificateAuthority) : null;
        return new TlsServer(options.ServerCertificates, clients, options.TimeProvider, (message, isWarning) => Registry.Write(isWarning ? ProxyEventKind.Warning : ProxyEventKind.Reconfigured, message));
    }
}

using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Serving;

/// <summary>All that follows from the options of a service; immutable, so that one exchange changes everything for the next client at once.</summary>
internal sealed record ServiceSetup(ServiceOptions Options, Admission Admission, TlsServer? Tls, IClientServer Clients);

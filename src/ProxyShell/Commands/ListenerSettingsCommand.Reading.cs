using System.Security.Cryptography.X509Certificates;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Commands;

/// <summary>Reading the settings: what is given is put into options, what is not stays as it is there.</summary>
public abstract partial class ListenerSettingsCommand
{
    private protected bool IsGiven(string parameter) => MyInvocation.BoundParameters.ContainsKey(parameter);

    /// <summary>What was given for a list, which may be nothing; <paramref name="before"/> when the parameter was not given.</summary>
    private protected IReadOnlyList<T> ListOf<T>(string parameter, IReadOnlyList<T> given, IReadOnlyList<T> before) => IsGiven(parameter) ? given : before;

    /// <summary>Puts what all listeners can be told into the options; writes an error for each bad value.</summary>
    private protected bool TryApply<T>(T before, out T changed)
        where T : ServiceOptions
    {
        // every bad argument gets its own error, so all are read before giving up
        changed = before;
        bool good = TryReadEach(AllowSource, SourceNetwork.Parse, "InvalidSource", out List<SourceNetwork> allowed);
        good &= TryReadEach(DenySource, SourceNetwork.Parse, "InvalidSource", out List<SourceNetwork> denied);
        good &= TryReadEach(Certificate, certificate => certificate.ResolveServer(SessionState, CertificatePassword), "InvalidCertificate", out List<ServerCertificate> certificates);
        good &= TryReadEach(ClientCertificateThumbprint, text => TlsTrust.Pinned(text).Thumbprint!, "InvalidThumbprint", out List<string> thumbprints);
        good &= TryReadEach(ClientCertificateAuthority, authority => authority.Resolve(SessionState), "InvalidCertificate", out List<IReadOnlyList<X509Certificate2>> authorities);
        if (!good) return false;
        ServiceOptions common = before with
        {
            Certificates = ListOf(nameof(Certificate), certificates, before.Certificates),
            ClientCertificateThumbprints = ListOf(nameof(ClientCertificateThumbprint), thumbprints, before.ClientCertificateThumbprints),
            ClientCertificateAuthority = ListOf(nameof(ClientCertificateAuthority), [.. authorities.SelectMany(found => found)], before.ClientCertificateAuthority),
            AllowSource = ListOf(nameof(AllowSource), allowed, before.AllowSource),
            DenySource = ListOf(nameof(DenySource), denied, before.DenySource),
            AcceptProxyProtocol = IsGiven(nameof(AcceptProxyProtocol)) ? AcceptProxyProtocol : before.AcceptProxyProtocol,
            AllowAnonymous = IsGiven(nameof(AllowAnonymous)) ? AllowAnonymous : before.AllowAnonymous,
        };
        changed = (T)WithNumbers(common);
        return true;
    }

    private ServiceOptions WithNumbers(ServiceOptions options) => options with
    {
        MaxConnections = MaxConnections ?? options.MaxConnections,
        MaxConnectionsPerClient = MaxConnectionsPerClient ?? options.MaxConnectionsPerClient,
        BandwidthLimit = BandwidthLimit ?? options.BandwidthLimit,
        ClientBandwidthLimit = ClientBandwidthLimit ?? options.ClientBandwidthLimit,
        HandshakeTimeout = HandshakeTimeout ?? options.HandshakeTimeout,
        ConnectTimeout = ConnectTimeout ?? options.ConnectTimeout,
        IdleTimeout = IdleTimeout ?? options.IdleTimeout,
        UdpIdleTimeout = UdpIdleTimeout ?? options.UdpIdleTimeout,
        StopTimeout = StopTimeout ?? options.StopTimeout,
    };
}

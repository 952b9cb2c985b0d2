using System.Security.Cryptography.X509Certificates;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Commands;

/// <summary>Reading the settings: what is given is put into options, what is not stays as it is there.</summary>
public abstract partial class ListenerSettingsCommand
{
    /// <summary>Whether what was given as the chain is nothing, where that may be given.</summary>
    private protected virtual bool IsChainEmpty => false;

    private protected bool IsGiven(string parameter) => MyInvocation.BoundParameters.ContainsKey(parameter);

    /// <summary>What was given for a list, which may be nothing; <paramref name="before"/> when the parameter was not given.</summary>
    private protected IReadOnlyList<T> ListOf<T>(string parameter, IReadOnlyList<T> given, IReadOnlyList<T> before) => IsGiven(parameter) ? given : before;

    private protected bool TryReadChain(ProxyChain before, out ProxyChain chain)
    {
        chain = IsGiven(nameof(Chain)) ? ProxyChain.Direct : before;
        if (Chain is null || IsChainEmpty) return true;
        if (!TryRead(Chain.Resolve, "InvalidChain", Chain.Target, out ProxyChain? given)) return false;
        chain = given;
        return true;
    }

    private protected bool TryReadCredentials(IReadOnlyList<ProxyCredential> before, out IReadOnlyList<ProxyCredential> credentials)
    {
        bool good = TryReadEach(Credential, credential => credential.Resolve(), "InvalidCredential", out List<ProxyCredential> given);
        credentials = ListOf(nameof(Credential), given, before);
        return good;
    }

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
        good &= TryRead(CheckedRules, "InvalidRule", Chain?.Target ?? Rule, out ProxyRule[]? rules);
        if (!good) return false;
        ServiceOptions common = before with
        {
            Rules = ListOf(nameof(Rule), rules!, before.Rules),
            BlockByDefault = IsGiven(nameof(BlockByDefault)) ? BlockByDefault : before.BlockByDefault,
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

    /// <summary>Puts what only proxy servers can be told into the options too.</summary>
    private protected bool TryApply(IProxyServerSettings given, ProxyServerOptions before, out ProxyServerOptions changed)
    {
        bool good = TryReadEach(given.Key, key => key.Resolve(), "InvalidKey", out List<ProxyKey> keys);
        good &= TryReadEach(given.PayloadKey, key => key.Resolve(), "InvalidKey", out List<ProxyKey> payloadKeys);
        good &= TryReadCredentials(before.Credentials, out IReadOnlyList<ProxyCredential> credentials);
        good &= TryReadEach(given.AllowDestination, DestinationPattern.Parse, "InvalidDestinationPattern", out List<DestinationPattern> allowed);
        good &= TryReadEach(given.DenyDestination, DestinationPattern.Parse, "InvalidDestinationPattern", out List<DestinationPattern> denied);
        good &= TryReadChain(before.Chain, out ProxyChain chain);
        ProxyServerOptions own = before with
        {
            Keys = ListOf(nameof(given.Key), keys, before.Keys),
            PayloadKeys = ListOf(nameof(given.PayloadKey), payloadKeys, before.PayloadKeys),
            Credentials = credentials,
            AllowDestination = ListOf(nameof(given.AllowDestination), allowed, before.AllowDestination),
            DenyDestination = ListOf(nameof(given.DenyDestination), denied, before.DenyDestination),
            Chain = chain,
        };
        return TryApply(own, out changed) && good;
    }

    /// <summary>Puts what only access listeners can be told into the options too.</summary>
    private protected bool TryApply(AccessListenerOptions before, ProxyHeaderVersion sendProxyProtocol, out AccessListenerOptions changed)
    {
        bool good = TryReadChain(before.Chain, out ProxyChain chain);
        good &= TryReadCredentials(before.Credentials, out IReadOnlyList<ProxyCredential> credentials);
        ProxyHeaderVersion sent = IsGiven("SendProxyProtocol") ? sendProxyProtocol : before.SendProxyProtocol;
        return TryApply(before with { Chain = chain, Credentials = credentials, SendProxyProtocol = sent }, out changed) && good;
    }

    /// <summary>The rules, checked against the rest of what was given.</summary>
    /// <exception cref="FormatException">They cannot be meant so.</exception>
    private protected virtual ProxyRule[] CheckedRules()
    {
        if (Rule?.Contains(null) == true) throw new FormatException("The list of rules holds $null: a rule that was lost on the way must not be left out.");
        // a chain that no destination takes must not be one that looks taken
        return BlockByDefault && Chain is not null
            ? throw new FormatException("With -BlockByDefault only destinations of rules are let out, each the way its rule says, so -Chain would be for none: leave out one of the two.")
            : Rule ?? [];
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

using ProxyShell.Arguments;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Commands;

/// <summary>Reading the settings of listeners that connect to where clients want to go.</summary>
public abstract partial class ListenerSettingsCommand
{
    /// <summary>Whether the chain may be nothing, which then means a direct way.</summary>
    private protected virtual bool MayChainBeEmpty => false;

    private protected bool IsChainEmpty(IRouteSettings given) => MayChainBeEmpty && given.Chain is null or { IsEmpty: true };

    private protected bool TryReadCredentials(CredentialArgument[]? credential, IReadOnlyList<ProxyCredential> before, out IReadOnlyList<ProxyCredential> credentials)
    {
        bool good = TryReadEach(credential, item => item.Resolve(), "InvalidCredential", out List<ProxyCredential> given);
        credentials = ListOf(nameof(IRouteSettings.Credential), given, before);
        return good;
    }

    /// <summary>Puts what only proxy servers can be told into the options too.</summary>
    private protected bool TryApply(IProxyServerSettings given, ProxyServerOptions before, out ProxyServerOptions changed)
    {
        bool good = TryReadEach(given.Key, key => key.Resolve(), "InvalidKey", out List<ProxyKey> keys);
        good &= TryReadEach(given.PayloadKey, key => key.Resolve(), "InvalidKey", out List<ProxyKey> payloadKeys);
        good &= TryReadCredentials(given.Credential, before.Credentials, out IReadOnlyList<ProxyCredential> credentials);
        good &= TryReadEach(given.AllowDestination, DestinationPattern.Parse, "InvalidDestinationPattern", out List<DestinationPattern> allowed);
        good &= TryReadEach(given.DenyDestination, DestinationPattern.Parse, "InvalidDestinationPattern", out List<DestinationPattern> denied);
        good &= TryReadChain(given, before.Chain, out ProxyChain chain);
        ProxyServerOptions own = before with
        {
            Keys = ListOf(nameof(given.Key), keys, before.Keys),
            PayloadKeys = ListOf(nameof(given.PayloadKey), payloadKeys, before.PayloadKeys),
            Credentials = credentials,
            AllowDestination = ListOf(nameof(given.AllowDestination), allowed, before.AllowDestination),
            DenyDestination = ListOf(nameof(given.DenyDestination), denied, before.DenyDestination),
            Chain = chain,
        };
        return TryApplyRoutes(given, own, out changed) && good;
    }

    /// <summary>Puts what only access listeners can be told into the options too.</summary>
    private protected bool TryApply(IRouteSettings given, AccessListenerOptions before, ProxyHeaderVersion sendProxyProtocol, out AccessListenerOptions changed)
    {
        bool good = TryReadChain(given, before.Chain, out ProxyChain chain);
        good &= TryReadCredentials(given.Credential, before.Credentials, out IReadOnlyList<ProxyCredential> credentials);
        ProxyHeaderVersion sent = IsGiven("SendProxyProtocol") ? sendProxyProtocol : before.SendProxyProtocol;
        return TryApplyRoutes(given, before with { Chain = chain, Credentials = credentials, SendProxyProtocol = sent }, out changed) && good;
    }

    /// <summary>The rules, checked against the rest of what was given.</summary>
    /// <exception cref="FormatException">They cannot be meant so.</exception>
    private protected virtual ProxyRule[] CheckedRules(IRouteSettings given)
    {
        if (given.Rule?.Contains(null) == true) throw new FormatException("The list of rules holds $null: a rule that was lost on the way must not be left out.");
        // a chain that no destination takes must not be one that looks taken
        return given.BlockByDefault && given.Chain is not null
            ? throw new FormatException("With -BlockByDefault only destinations of rules are let out, each the way its rule says, so -Chain would be for none: leave out one of the two.")
            : given.Rule ?? [];
    }

    private bool TryReadChain(IRouteSettings given, ProxyChain before, out ProxyChain chain)
    {
        chain = IsGiven(nameof(given.Chain)) ? ProxyChain.Direct : before;
        if (given.Chain is not { } argument || IsChainEmpty(given)) return true;
        if (!TryRead(argument.Resolve, "InvalidChain", argument.Target, out ProxyChain? read)) return false;
        chain = read;
        return true;
    }

    private bool TryApplyRoutes<T>(IRouteSettings given, T before, out T changed)
        where T : ServiceOptions
    {
        bool good = TryRead(() => CheckedRules(given), "InvalidRule", given.Chain?.Target ?? given.Rule, out ProxyRule[]? rules);
        if (!TryApply(before, out changed) || !good) return false;
        ServiceOptions routed = changed with
        {
            Rules = ListOf(nameof(given.Rule), rules!, before.Rules),
            BlockByDefault = IsGiven(nameof(given.BlockByDefault)) ? given.BlockByDefault : before.BlockByDefault,
        };
        changed = (T)routed;
        return true;
    }
}

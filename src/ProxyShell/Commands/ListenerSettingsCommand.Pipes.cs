using ProxyShell.Arguments;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Striping;

namespace ProxyShell.Commands;

/// <summary>Reading the settings of striped pipes.</summary>
public abstract partial class ListenerSettingsCommand
{
    private protected bool IsChainEmpty(IStripedPipeSettings given) => MayChainBeEmpty && given.Chain is null or [];

    /// <summary>Puts what only near ends can be told into the options too.</summary>
    private protected bool TryApply(IStripedPipeSettings given, StripedPipeEntryOptions before, out StripedPipeEntryOptions changed)
    {
        bool good = TryReadChains(given, before.Chains, out IReadOnlyList<ProxyChain> chains);
        StripedPipeEntryOptions own = WithTimes(given, before) with
        {
            Chains = chains,
            StripeCount = given.StripeCount ?? before.StripeCount,
            MaxStripeCount = given.MaxStripeCount ?? before.MaxStripeCount,
        };
        return TryApply(own, out changed) && good;
    }

    /// <summary>Puts what only far ends can be told into the options too.</summary>
    private protected bool TryApply(IStripedPipeSettings given, StripedPipeExitOptions before, out StripedPipeExitOptions changed)
    {
        bool good = TryReadChains(given, [before.Chain], out IReadOnlyList<ProxyChain> chains);
        good &= TryRead(() => OneOf(chains), "InvalidChain", string.Join(", ", given.Chain ?? []), out ProxyChain? chain);
        return TryApply(WithTimes(given, before) with { Chain = chain! }, out changed) && good;
    }

    private static ProxyChain OneOf(IReadOnlyList<ProxyChain> chains) => chains.Count <= 1
        ? chains.FirstOrDefault(ProxyChain.Direct)
        : throw new FormatException($"{chains.Count} chains are given, and a far end takes one to its destination. Hops of one chain are joined by New-ProxyChain.");

    private static T WithTimes<T>(IStripedPipeSettings given, T before)
        where T : StripedPipeOptions
    {
        StripedPipeOptions changed = before with
        {
            ReconnectTimeout = given.ReconnectTimeout ?? before.ReconnectTimeout,
            StallTimeout = given.StallTimeout ?? before.StallTimeout,
        };
        return (T)changed;
    }

    private bool TryReadChains(IStripedPipeSettings given, IReadOnlyList<ProxyChain> before, out IReadOnlyList<ProxyChain> chains)
    {
        chains = IsGiven(nameof(given.Chain)) ? [] : before;
        if (given.Chain is null || IsChainEmpty(given)) return true;
        // ways that were lost on the way must not become direct ones
        ChainArgument[] items = given.Chain is [] ? [new ChainArgument(Array.Empty<object>())] : given.Chain;
        bool good = TryReadEach(items, item => item.Resolve(), "InvalidChain", out List<ProxyChain> read);
        chains = read;
        return good;
    }
}

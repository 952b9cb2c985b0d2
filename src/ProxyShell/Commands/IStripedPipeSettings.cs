using ProxyShell.Arguments;

namespace ProxyShell.Commands;

/// <summary>The parameters that only striped pipes have, at the start and while they run.</summary>
internal interface IStripedPipeSettings
{
    ChainArgument[]? Chain { get; }

    int? StripeCount { get; }

    int? MaxStripeCount { get; }

    TimeSpan? ReconnectTimeout { get; }

    TimeSpan? StallTimeout { get; }
}

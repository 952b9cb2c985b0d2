using ProxyShell.Engine.Access;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Striping;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Configuration;

/// <summary>How one running service becomes, or one new service is, what the configuration says. Kind and name tell which is which.</summary>
internal sealed class ServiceTransition
{
    private readonly ServiceOptions _wanted;

    private ServiceTransition(ListenerService? running, ServiceOptions wanted)
    {
        (Running, _wanted) = (running, wanted);
        if (running is null) return;
        ServiceOptions now = OptionsOf(running);
        _wanted = Continuing(wanted, now);
        Obstacle = OptionChanges.DescribeFixed(now, _wanted);
        IsChange = Obstacle is null && OptionChanges.Describe(now, _wanted) is not null;
    }

    /// <summary>The service that runs already; null when it is added.</summary>
    public ListenerService? Running { get; }

    /// <summary>Why the running one has to be replaced; null when it has not.</summary>
    public string? Obstacle { get; }

    /// <summary>Whether the running one takes other options.</summary>
    public bool IsChange { get; }

    public string Name => _wanted.Name;

    /// <summary>Whether a service has to be started.</summary>
    public bool Starts => Running is null || Obstacle is not null;

    public static IReadOnlyList<ServiceTransition> Plan(IReadOnlyList<ListenerService> running, ProxyConfiguration wanted) =>
        [.. wanted.Services.Select(options => new ServiceTransition(running.FirstOrDefault(service => IsFor(service, options)), options))];

    public ListenerService Create() => _wanted switch
    {
        ProxyServerOptions server => new ProxyServer(server),
        AccessListenerOptions access => new AccessListener(access),
        StripedPipeEntryOptions near => new StripedPipeEntry(near),
        StripedPipeExitOptions far => new StripedPipeExit(far),
        _ => new TunnelGateway((TunnelGatewayOptions)_wanted),
    };

    /// <summary>Gives the running service its new options.</summary>
    public void Reconfigure()
    {
        switch (Running)
        {
            case ProxyServer server:
                server.Reconfigure((ProxyServerOptions)_wanted);
                break;
            case AccessListener access:
                access.Reconfigure((AccessListenerOptions)_wanted);
                break;
            case StripedPipeEntry near:
                near.Reconfigure((StripedPipeEntryOptions)_wanted);
                break;
            case StripedPipeExit far:
                far.Reconfigure((StripedPipeExitOptions)_wanted);
                break;
            case TunnelGateway gateway:
                gateway.Reconfigure((TunnelGatewayOptions)_wanted);
                break;
        }
    }

    private static bool IsFor(ListenerService service, ServiceOptions options) =>
        service.Name.Equals(options.Name, StringComparison.OrdinalIgnoreCase) && OptionsOf(service).GetType() == options.GetType();

    private static ServiceOptions OptionsOf(ListenerService service) => service switch
    {
        ProxyServer server => server.Options,
        AccessListener access => access.Options,
        StripedPipeEntry near => near.Options,
        StripedPipeExit far => far.Options,
        _ => ((TunnelGateway)service).Options,
    };

    // what is known of alternates lives in the chains: those that are the same in the file stay the same objects
    private static ServiceOptions Continuing(ServiceOptions wanted, ServiceOptions now)
    {
        ServiceOptions ruled = wanted with { Rules = [.. wanted.Rules.Select(rule => rule.Continuing(now.Rules))] };
        return (ruled, now) switch
        {
            (ProxyServerOptions later, ProxyServerOptions earlier) => later with { Chain = later.Chain.Continuing(earlier.Chain) },
            (AccessListenerOptions later, AccessListenerOptions earlier) => later with { Chain = later.Chain.Continuing(earlier.Chain) },
            (StripedPipeExitOptions later, StripedPipeExitOptions earlier) => later with { Chain = later.Chain.Continuing(earlier.Chain) },
            (StripedPipeEntryOptions later, StripedPipeEntryOptions earlier) => later with { Chains = [.. later.Chains.Select((chain, index) => Continuing(chain, index, earlier.Chains))] },
            _ => ruled,
        };
    }

    // a chain that only has another place among the others is the same chain too
    private static ProxyChain Continuing(ProxyChain wanted, int index, IReadOnlyList<ProxyChain> earlier)
    {
        ProxyChain? same = earlier.FirstOrDefault(chain => ReferenceEquals(wanted.Continuing(chain), chain));
        return same ?? (index < earlier.Count ? wanted.Continuing(earlier[index]) : wanted);
    }
}

using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Engine.Chains;

namespace ProxyShell.Commands;

/// <summary>Get-ProxyChainHealth: how the alternates of chains are, as connections and probes found them.</summary>
[Cmdlet(VerbsCommon.Get, "ProxyChainHealth", DefaultParameterSetName = "Job")]
[OutputType(typeof(ChainHealth))]
public sealed class GetProxyChainHealthCommand : JobScopeCommand
{
    private readonly HashSet<HopGroup> _shown = [];

    [Parameter(Position = 0, ValueFromPipeline = true, ParameterSetName = "Job")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(JobNameCompleter))]
    public override JobArgument[]? Job { get; set; }

    // a chain itself and nothing that makes one: a new chain's alternates have no past
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Chain")]
    [ValidateNotNullOrEmpty]
    public ProxyChain[] Chain { get; set; } = [];

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        IEnumerable<ProxyChain> chains = ParameterSetName == "Chain" ? Chain : ReadJobs().SelectMany(job => job.Service.GetChains());
        foreach (ProxyChain chain in chains) Write(chain);
    }

    private void Write(ProxyChain chain)
    {
        if (ParameterSetName == "Chain" && !chain.HasAlternates) WriteWarning($"{chain} has no alternates, so there is no health to show; Test-ProxyChain tests its hops.");
        // jobs may share groups, which have one health
        foreach (ChainHealth health in chain.GetHealth().Where(health => !_shown.Contains(chain.Places[health.Place - 1]))) WriteObject(health);
        _shown.UnionWith(chain.Places);
    }
}

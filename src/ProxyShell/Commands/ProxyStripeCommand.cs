using System.Management.Automation;
using ProxyShell.Engine.Striping;
using ProxyShell.Jobs;

namespace ProxyShell.Commands;

/// <summary>Get-ProxyStripe: the stripes of striped pipes as they are now.</summary>
[Cmdlet(VerbsCommon.Get, "ProxyStripe")]
[OutputType(typeof(StripeInfo))]
public sealed class GetProxyStripeCommand : JobScopeCommand
{
    [Parameter]
    [ValidateNotNullOrEmpty]
    public StripeState[]? State { get; set; }

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        IEnumerable<StripeInfo> stripes = ReadJobs().OfType<StripedPipeJob>().Distinct().SelectMany(job => job.Stripes);
        WriteObject(stripes.Where(stripe => State is null || State.Contains(stripe.State)), enumerateCollection: true);
    }
}

using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Engine.Striping;
using ProxyShell.Errors;
using ProxyShell.Jobs;

namespace ProxyShell.Commands;

/// <summary>Set-StripedPipe: other settings for running ends of striped pipes.</summary>
[Cmdlet(VerbsCommon.Set, "StripedPipe", SupportsShouldProcess = true)]
[OutputType(typeof(StripedPipeJob))]
public sealed class SetStripedPipeCommand : SetListenerCommand, IStripedPipeSettings
{
    [Parameter]
    [ArgumentCompleter(typeof(HopUriCompleter))]
    [EachChain]
    public ChainArgument[]? Chain { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [EmptyColumn]
    public int? StripeCount { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [EmptyColumn]
    public int? MaxStripeCount { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? ReconnectTimeout { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? StallTimeout { get; set; }

    private protected override bool MayChainBeEmpty => true;

    private protected override bool IsMeant(ProxyJob job) => job is StripedPipeJob;

    private protected override Action? Prepare(ProxyJob job)
    {
        var pipe = (StripedPipeJob)job;
        if (pipe.NearEnd is { } near) return TryApply(this, near.Options, out StripedPipeEntryOptions changed) ? () => near.Reconfigure(changed) : null;
        if ((StripeCount ?? MaxStripeCount) is null) return TryApply(this, pipe.FarEnd!.Options, out StripedPipeExitOptions other) ? () => pipe.FarEnd.Reconfigure(other) : null;
        var refusal = new FormatException($"'{job.Name}' is a far end, which takes the stripes that come: give {(StripeCount is null ? "-MaxStripeCount" : "-StripeCount")} to the near end.");
        WriteError(ProblemRecord.From(refusal, "InvalidOption", job));
        return null;
    }

    private protected override void WarnOf(ProxyJob job)
    {
        if (IsGiven(nameof(Chain)) && IsChainEmpty(this))
            WriteWarning($"-Chain is empty, so '{job.Name}' connects directly from now on; -Chain direct says that this is meant.");
    }
}

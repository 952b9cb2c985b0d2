using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Errors;
using ProxyShell.Jobs;

namespace ProxyShell.Commands;

/// <summary>Changes the settings of running listeners; what is not given stays, and open connections live on.</summary>
public abstract class SetListenerCommand : ListenerSettingsCommand
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [Alias("Name")]
    [ArgumentCompleter(typeof(JobNameCompleter))]
    public JobArgument[] Job { get; set; } = [];

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    // not the parameters that say what to change and how
    private string WhatIsGiven => string.Join(", ", MyInvocation.BoundParameters.Keys.Except(OtherParameters).Order(StringComparer.Ordinal));

    private static IEnumerable<string> OtherParameters => [nameof(Job), nameof(PassThru), nameof(CertificatePassword), .. CommonParameters, .. OptionalCommonParameters];

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        foreach (JobArgument argument in Job)
        {
            foreach (ProxyJob job in ReadJobs(argument))
            {
                if (!IsMeant(job)) RefuseKind(argument, job);
                else if (job.JobStateInfo.State != JobState.Running) Refuse(job, $"The job '{job.Name}' is {job.JobStateInfo.State}; only a running one can be changed.");
                else if (TryChange(job) && PassThru) WriteObject(job);
            }
        }
    }

    /// <summary>Whether the job is of the cmdlet's kind.</summary>
    private protected abstract bool IsMeant(ProxyJob job);

    /// <summary>Reads what was given on top of the job's options and gives what puts it into effect; null after an error.</summary>
    private protected abstract Action? Prepare(ProxyJob job);

    /// <summary>What an engine's refusal means in the words of parameters.</summary>
    private protected virtual string Explain(string message) => message;

    /// <summary>Warns of what may not be meant.</summary>
    private protected virtual void WarnOf(ProxyJob job)
    {
    }

    private bool TryChange(ProxyJob job)
    {
        if (WhatIsGiven.Length == 0) WriteWarning($"Nothing is given that could be changed in '{job.Name}'.");
        if (Prepare(job) is not { } change || !ShouldProcess(job.Name, $"Set {WhatIsGiven}")) return false;
        WarnOf(job);
        try
        {
            change();
            return true;
        }
        catch (FormatException e)
        {
            WriteError(ProblemRecord.From(OptionWords.AsParameters(new FormatException(Explain(e.Message), e)), "InvalidOption", job));
        }
        catch (InvalidOperationException)
        {
            Refuse(job, $"The job '{job.Name}' has been stopped; only a running one can be changed.");
        }
        return false;
    }

    private void RefuseKind(JobArgument argument, ProxyJob job)
    {
        // a wildcard means those among the jobs that fit
        if (argument.MayBeNone) return;
        string other = job switch
        {
            ProxyServerJob => "Set-ProxyServer changes it",
            AccessListenerJob => "Set-AccessListener changes it",
            TunnelGatewayJob => "Set-TunnelGateway changes it",
            StripedPipeJob => "Set-StripedPipe changes it",
            _ => "it cannot be changed while it runs",
        };
        WriteError(ProblemRecord.WrongKind($"The job '{job.Name}' is of type {job.PSJobTypeName}; {other}.", "WrongJobType", job));
    }

    private void Refuse(ProxyJob job, string message) => WriteError(ProblemRecord.WrongState(message, "JobNotRunning", job));
}

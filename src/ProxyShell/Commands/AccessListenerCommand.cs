using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Jobs;

namespace ProxyShell.Commands;

/// <summary>Start-AccessListener: a local port, as a job, whose every connection goes through a chain to one destination.</summary>
[Cmdlet(VerbsLifecycle.Start, "AccessListener", SupportsShouldProcess = true)]
[OutputType(typeof(AccessListenerJob))]
public sealed class StartAccessListenerCommand : StartListenerCommand
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    public EndpointArgument Destination { get; set; } = null!;

    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    [ValidateRange(0, 65535)]
    public int LocalPort { get; set; }

    private protected override int Port => LocalPort;

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        bool good = TryRead(Destination.Resolve, "InvalidDestination", Destination.ToString(), out HostEndpoint? destination);
        good &= TryReadChain(out ProxyChain chain);
        if (!good) return;
        AccessListenerOptions options = WithCommon(new AccessListenerOptions { Destination = destination!, Chain = chain });
        Start($"Start access listener to {destination}", () => new AccessListener(options), listener => new AccessListenerJob(listener));
    }
}

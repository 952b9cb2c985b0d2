using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;
using ProxyShell.Jobs;

namespace ProxyShell.Commands;

/// <summary>Starts a service and makes the job around it; the listening address is bound before the cmdlet returns.</summary>
public abstract class StartListenerCommand : ListenerSettingsCommand
{
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(LocalAddressCompleter))]
    public string LocalAddress { get; set; } = "127.0.0.1";

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    public string Name { get; set; } = "";

    [Parameter]
    [ValidateRange(1, 1_000_000)]
    public int EventCapacity { get; set; } = EventRing.DefaultCapacity;

    // what was lost on the way must not become an open door

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(CertificateCompleter))]
    public override CertificateArgument[]? Certificate { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    public override string[]? ClientCertificateThumbprint { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    public override AuthorityArgument[]? ClientCertificateAuthority { get; set; }

    [Parameter]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(SourceCompleter))]
    public override string[]? AllowSource { get; set; }

    [Parameter]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(SourceCompleter))]
    public override string[]? DenySource { get; set; }

    private protected abstract int Port { get; }

    /// <summary>The options with what a listener is told once and for all.</summary>
    private protected T Placed<T>(T options)
        where T : ServiceOptions
    {
        ServiceOptions placed = options with { Name = Name, LocalAddress = LocalAddress.Trim(), LocalPort = Port, EventCapacity = EventCapacity };
        return (T)placed;
    }

    /// <summary>Starts the service that <paramref name="make"/> makes and writes its job; on any failure one error and no job.</summary>
    private protected void Start<T>(string what, Func<T> make, Func<T, ProxyJob> makeJob)
        where T : ListenerService
    {
        string address = LocalAddress.StartsWith("unix:", StringComparison.Ordinal) ? LocalAddress : $"{LocalAddress}:{Port}";
        if (ShouldProcess(address, what) && StartJob(make, makeJob, address) is { } job) WriteObject(job);
    }
}

using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;
using ProxyShell.Errors;
using ProxyShell.Jobs;

namespace ProxyShell.Commands;

/// <summary>Starts a service and makes the job around it; the listening address is bound before the cmdlet returns.</summary>
public abstract class StartListenerCommand : ProxyCmdlet
{
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(LocalAddressCompleter))]
    public string LocalAddress { get; set; } = "127.0.0.1";

    [Parameter]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(HopUriCompleter))]
    [WholeChain]
    public ChainArgument? Chain { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateRange(1, int.MaxValue)]
    public int MaxConnections { get; set; } = ServiceOptions.DefaultMaxConnections;

    [Parameter]
    [TimeArgument(MayBeInfinite = true)]
    public TimeSpan? IdleTimeout { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? ConnectTimeout { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? StopTimeout { get; set; }

    [Parameter]
    public SwitchParameter AllowAnonymous { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    public string Name { get; set; } = "";

    private protected abstract int Port { get; }

    private protected bool TryReadChain(out ProxyChain chain)
    {
        chain = ProxyChain.Direct;
        if (Chain is null) return true;
        if (!TryRead(Chain.Resolve, "InvalidChain", Chain.Target, out ProxyChain? given)) return false;
        chain = given;
        return true;
    }

    /// <summary>The options with the parameters that all listeners have.</summary>
    private protected T WithCommon<T>(T options)
        where T : ServiceOptions
    {
        ServiceOptions common = options with
        {
            Name = Name,
            LocalAddress = LocalAddress.Trim(),
            LocalPort = Port,
            MaxConnections = MaxConnections,
            IdleTimeout = IdleTimeout ?? options.IdleTimeout,
            ConnectTimeout = ConnectTimeout ?? options.ConnectTimeout,
            StopTimeout = StopTimeout ?? options.StopTimeout,
            AllowAnonymous = AllowAnonymous,
        };
        return (T)common;
    }

    /// <summary>Starts the service that <paramref name="make"/> makes and writes its job; on any failure one error and no job.</summary>
    private protected void Start<T>(string what, Func<T> make, Func<T, ProxyJob> makeJob)
        where T : ListenerService
    {
        string address = LocalAddress.StartsWith("unix:", StringComparison.Ordinal) ? LocalAddress : $"{LocalAddress}:{Port}";
        if (!ShouldProcess(address, what)) return;
        T? service = null;
        try
        {
            service = make();
            Await(service.StartAsync(StopToken));
            ProxyJob job = makeJob(service);
            job.Begin();
            JobManager.NewJob(new ProxyJobSpecification(job));
            WriteObject(job);
        }
        catch (Exception e)
        {
            if (service is not null) Await(service.DisposeAsync().AsTask());
            if (e is not (FormatException or ProxyException)) throw;
            WriteError(ProblemRecord.From(e, "InvalidOption", address));
        }
    }
}

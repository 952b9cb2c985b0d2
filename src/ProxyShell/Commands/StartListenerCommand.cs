using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;
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
    [ValidateNotNullOrEmpty]
    public CredentialArgument[]? Credential { get; set; }

    [Parameter]
    public SwitchParameter AcceptProxyProtocol { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? StopTimeout { get; set; }

    [Parameter]
    public SwitchParameter AllowAnonymous { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    public string Name { get; set; } = "";

    private protected abstract int Port { get; }

    private protected bool TryReadCredentials(out List<ProxyCredential> credentials) =>
        TryReadEach(Credential, credential => credential.Resolve(), "InvalidCredential", out credentials);

    /// <summary>Reads what all listeners have and adds it to the options; writes an error for each bad value.</summary>
    private protected bool TryComplete<T>(T options, out T complete)
        where T : ServiceOptions
    {
        complete = options;
        if (!TryReadSources(out List<SourceNetwork> allowed, out List<SourceNetwork> denied) | !TryRead(CheckedRules, "InvalidRule", null, out _)) return false;
        ServiceOptions common = options with
        {
            Name = Name,
            LocalAddress = LocalAddress.Trim(),
            LocalPort = Port,
            Rules = Rule ?? [],
            BlockByDefault = BlockByDefault,
            MaxConnections = MaxConnections ?? options.MaxConnections,
            MaxConnectionsPerClient = MaxConnectionsPerClient ?? options.MaxConnectionsPerClient,
            BandwidthLimit = BandwidthLimit ?? options.BandwidthLimit,
            ClientBandwidthLimit = ClientBandwidthLimit ?? options.ClientBandwidthLimit,
            AllowSource = allowed,
            DenySource = denied,
            IdleTimeout = IdleTimeout ?? options.IdleTimeout,
            ConnectTimeout = ConnectTimeout ?? options.ConnectTimeout,
            StopTimeout = StopTimeout ?? options.StopTimeout,
            AcceptProxyProtocol = AcceptProxyProtocol,
            AllowAnonymous = AllowAnonymous,
        };
        complete = (T)common;
        return true;
    }

    /// <summary>Starts the service that <paramref name="make"/> makes and writes its job; on any failure one error and no job.</summary>
    private protected void Start<T>(string what, Func<T> make, Func<T, ProxyJob> makeJob)
        where T : ListenerService
    {
        string address = LocalAddress.StartsWith("unix:", StringComparison.Ordinal) ? LocalAddress : $"{LocalAddress}:{Port}";
        if (ShouldProcess(address, what) && StartJob(make, makeJob, address) is { } job) WriteObject(job);
    }

    // rules that were lost on the way must not become no rules, nor a chain that no destination takes be one that looks taken
    private ProxyRule[] CheckedRules()
    {
        if (Rule is { Length: 0 }) throw new FormatException("The list of rules is empty; to do without rules leave -Rule out.");
        return BlockByDefault && Chain is not null
            ? throw new FormatException("With -BlockByDefault only destinations of rules are let out, each the way its rule says, so -Chain would be for none: leave out one of the two.")
            : Rule ?? [];
    }
}

using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Engine.Chains.Pool;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Proxying;
using ProxyShell.Jobs;

namespace ProxyShell.Commands;

/// <summary>Start-ProxyServer: a proxy server as a job.</summary>
[Cmdlet(VerbsLifecycle.Start, "ProxyServer", SupportsShouldProcess = true)]
[OutputType(typeof(ProxyServerJob))]
public sealed class StartProxyServerCommand : StartRoutedListenerCommand, IProxyServerSettings
{
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [EmptyColumn(Means = 0)]
    [ValidateRange(0, 65535)]
    public int LocalPort { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    [ValidateSet(nameof(ProxyProtocols.Relay), nameof(ProxyProtocols.Socks5), nameof(ProxyProtocols.Http))]
    public ProxyProtocols[]? Protocol { get; set; }

    [Parameter]
    public SwitchParameter Udp { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public KeyArgument[]? Key { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public KeyArgument[]? PayloadKey { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(DestinationPatternCompleter))]
    public string[]? AllowDestination { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(DestinationPatternCompleter))]
    public string[]? DenyDestination { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? ClockWindow { get; set; }

    [Parameter]
    [ValidateRange(1, SessionPooling.SessionLimit)]
    public int? MaxSessions { get; set; }

    [Parameter]
    [ValidateRange(1, SessionPooling.ChannelLimit)]
    public int? MaxChannels { get; set; }

    [Parameter]
    [TimeArgument(MayBeInfinite = true)]
    public TimeSpan? SessionIdleTimeout { get; set; }

    [Parameter]
    [TimeArgument(MayBeInfinite = true, AtLeast = 1, AtMost = 3600)]
    public TimeSpan? KeepAlive { get; set; }

    private protected override int Port => LocalPort;

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        ProxyServerOptions options = new() { Protocols = Protocol?.Aggregate((all, next) => all | next), Udp = Udp };
        options = options with { ClockWindow = ClockWindow ?? options.ClockWindow };
        var sessions = new SessionSettings(MaxSessions, MaxChannels, SessionIdleTimeout, KeepAlive);
        bool good = TryRead(() => sessions.ApplyTo(options.Sessions), "InvalidOption", SessionIdleTimeout, out SessionPooling? pooling);
        if (TryApply(this, Placed(options with { Sessions = pooling ?? options.Sessions }), out options) && good) Start("Start proxy server", () => new ProxyServer(options), server => new ProxyServerJob(server));
    }
}

/// <summary>Set-ProxyServer: other settings for running proxy servers.</summary>
[Cmdlet(VerbsCommon.Set, "ProxyServer", SupportsShouldProcess = true)]
[OutputType(typeof(ProxyServerJob))]
public sealed class SetProxyServerCommand : SetRoutedListenerCommand, IProxyServerSettings
{
    [Parameter]
    public KeyArgument[]? Key { get; set; }

    [Parameter]
    public KeyArgument[]? PayloadKey { get; set; }

    [Parameter]
    [ArgumentCompleter(typeof(DestinationPatternCompleter))]
    public string[]? AllowDestination { get; set; }

    [Parameter]
    [ArgumentCompleter(typeof(DestinationPatternCompleter))]
    public string[]? DenyDestination { get; set; }

    private protected override bool IsMeant(ProxyJob job) => job is ProxyServerJob;

    private protected override Action? Prepare(ProxyJob job)
    {
        var server = (ProxyServer)job.Service;
        return TryApply(this, server.Options, out ProxyServerOptions changed) ? () => server.Reconfigure(changed) : null;
    }

    // the user named a secret, not a protocol
    private protected override string Explain(string message) => message.Contains("cannot change Protocols", StringComparison.Ordinal)
        ? $"{message.TrimEnd('.')}. A server that was started without -Protocol serves what its secrets guard, so its first key or credential, or its last one, would change that."
        : message;
}
